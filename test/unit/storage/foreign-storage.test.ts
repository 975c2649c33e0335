// Other people's NBD clients against the whole storage process: real VHDs under the same tools.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../support/seeded.ts';
import { newDiskId, newVmId, storageFixture } from '../../support/storage-process.ts';

const run = promisify(execFile);
const MIB = 1 << 20;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('foreign clients of the storage process', () => {
  it('nbdcopy, fio and qemu-io agree with it, over a moment taken between them', async () => {
    await using storage = storageFixture();
    const [vmId, diskId, path] = [newVmId(), newDiskId(), storage.exportPath('a')];
    await storage.client.openVm(vmId, storage.vmFolder(vmId));
    const made = await storage.client.call('disk.create', { vmId, diskId, virtualBytes: 96 * MIB });
    await storage.client.openExport(vmId, diskId, path);
    const uri = `nbd+unix:///${diskId}?socket=${path}`;
    const [from, to] = [join(storage.folder, 'from'), join(storage.folder, 'to')];
    const image = randomBytes(made.virtualBytes, 5);
    image.fill(0, 8 * MIB, 24 * MIB);
    writeFileSync(from, image);

    await run('nbdcopy', ['--flush', from, uri]);
    await run('nbdcopy', ['--connections=4', uri, to]);
    expect(sha(readFileSync(to))).toBe(sha(image));

    await storage.client.call('moment.take', { vmId, name: 'copied', note: '', kind: 'manual' });
    const job = [
      '--rw=randrw',
      '--bssplit=4k/60:64k/30:512k/10',
      '--iodepth=16',
      '--size=64M',
      '--io_size=64M',
    ];
    const check = [
      '--verify=crc32c',
      '--verify_fatal=1',
      '--do_verify=1',
      '--verify_state_save=0',
      '--fsync=64',
      '--randseed=7',
    ];
    await run('fio', ['--name=verify', '--ioengine=nbd', `--uri=${uri}`, ...job, ...check]);

    const commands = [
      'write -z -u 30M 9M',
      'discard 50M 4M',
      'write -P 9 70001 3001',
      'read -P 9 70001 3001',
    ];
    commands.push('read -P 0 30M 9M', 'read -P 0 50M 4M', 'flush');
    const args = commands.flatMap(command => ['-c', command]);
    const { stdout, stderr } = await run('qemu-io', [
      '-t',
      'writeback',
      '-d',
      'unmap',
      '-f',
      'raw',
      ...args,
      uri,
    ]);
    expect(stdout + stderr).not.toMatch(/failed|error/i);

    const timeline = await storage.client.call('timeline.get', { vmId });
    const point = timeline.moments.find(moment => moment.name === 'copied')?.points[0];
    const hashed = await storage.client.call('point.hash', { vmId, pointId: point?.pointId ?? '' });
    expect(hashed.sha256, 'T4: the moment holds what was copied').toBe(sha(image));
  });
});
