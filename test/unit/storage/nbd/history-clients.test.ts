// Other people's NBD clients on a disk with a history, in the real processes: they write and verify while points are taken
// and edges turned, and read points and Now bit by bit.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Moment } from '../../../../shared/timeline.ts';
import { newDiskId, newVmId, storageFixture } from '../../../support/storage-process.ts';
import { until } from '../../../support/until.ts';

const run = promisify(execFile);
const MIB = 1 << 20;
const TAKES = 4;
const FIO_ROUNDS = 4;

/** One after another: over several passes in one run fio does not find its own seeds again, on a plain file neither. */
async function verifyRounds(uri: string): Promise<void> {
  for (let round = 1; round <= FIO_ROUNDS; round++) {
    const { stdout } = await run('fio', [
      '--name=verify',
      '--ioengine=nbd',
      `--uri=${uri}`,
      '--rw=randrw',
      '--bssplit=512/10:4k/50:64k/30:256k/10',
      '--iodepth=16',
      '--size=20M',
      '--verify=crc32c',
      '--verify_fatal=1',
      '--do_verify=1',
      '--verify_state_save=0',
      '--fsync=32',
      `--randseed=${round}`,
      '--output-format=json',
    ]);
    const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: { error: number }[] };
    expect(jobs.map(({ error }) => error)).toEqual([0]);
  }
}

describe('foreign NBD clients on a disk with a history', () => {
  it('T3, T4, T6: fio verifies what it wrote while points are taken and turned; nbdcopy reads every point', async () => {
    await using storage = storageFixture();
    const { client } = storage;
    const [vmId, diskId, path] = [newVmId(), newDiskId(), storage.exportPath('now')];
    await client.openVm(vmId, storage.vmFolder(vmId));
    await client.call('disk.create', { vmId, diskId, virtualBytes: 24 * MIB });
    await client.openExport(vmId, diskId, path);
    const fio = verifyRounds(`nbd+unix:///${diskId}?socket=${path}`);
    const taken: { moment: Moment; sha256: string }[] = [];
    let isOver = false;
    const ended = fio.finally(() => {
      isOver = true;
    });
    ended.catch(() => undefined);
    while (!isOver && taken.length < TAKES) {
      const moment = await client.call('moment.take', { vmId, name: 'p', note: '', kind: 'manual' });
      const pointId = moment.points[0]?.pointId;
      if (pointId === undefined) throw new Error('a moment without a point');
      taken.push({ moment, sha256: (await client.call('point.hash', { vmId, pointId })).sha256 });
    }
    await ended;
    await until('the history is at rest', async () => {
      const { settle } = await client.call('timeline.get', { vmId });
      return settle.state === 'rest' && settle.pendingEdges === 0;
    });
    expect(taken.length).toBeGreaterThan(1);
    for (const [index, { moment, sha256 }] of taken.entries()) {
      const pointId = moment.points[0]?.pointId ?? diskId;
      const socketPath = storage.exportPath(`p${index}`);
      await client.call('point.open', { vmId, pointId: pointId as never, socketPath });
      const out = join(storage.folder, `${index}.img`);
      await run('nbdcopy', [`nbd+unix:///${pointId}?socket=${socketPath}`, out]);
      expect(createHash('sha256').update(readFileSync(out)).digest('hex'), `point ${index}`).toBe(sha256);
      await client.call('point.close', { vmId, socketPath });
    }
  });

  it('T4, T10: qemu-io writes patterns over a history, and each point keeps its own', async () => {
    await using storage = storageFixture();
    const { client } = storage;
    const [vmId, diskId, path] = [newVmId(), newDiskId(), storage.exportPath('now')];
    await client.openVm(vmId, storage.vmFolder(vmId));
    await client.call('disk.create', { vmId, diskId, virtualBytes: 64 * MIB });
    await client.openExport(vmId, diskId, path);
    const io = async (uri: string, isReader: boolean, ...commands: string[]): Promise<void> => {
      const words = commands.flatMap(command => ['-c', command]);
      const { stdout, stderr } = await run('qemu-io', [
        ...(isReader ? ['-r'] : []),
        '-f',
        'raw',
        ...words,
        uri,
      ]);
      expect(stdout + stderr).not.toMatch(/failed|error/i);
    };
    const now = `nbd+unix:///${diskId}?socket=${path}`;
    const take = () => client.call('moment.take', { vmId, name: 'p', note: '', kind: 'manual' });
    await io(now, false, 'write -P 1 0 16M', 'flush');
    const first = await take();
    await io(now, false, 'write -P 2 1001 70000', 'write -z 3M 2M', 'discard 8M 2M', 'flush');
    const second = await take();
    await io(now, false, 'write -P 3 0 4M', 'flush');
    await until('the history is at rest', async () => {
      const { settle } = await client.call('timeline.get', { vmId });
      return settle.state === 'rest' && settle.pendingEdges === 0;
    });
    const patterns = [
      [first, ['read -P 1 0 16M', 'read -P 0 16M 8M']],
      [
        second,
        [
          'read -P 1 0 1001',
          'read -P 2 1001 70000',
          'read -P 0 3M 2M',
          'read -P 0 8M 2M',
          'read -P 1 12M 4M',
        ],
      ],
    ] as const;
    for (const [index, [{ points }, commands]] of patterns.entries()) {
      const pointId = points[0]?.pointId;
      if (pointId === undefined) throw new Error('a moment without a point');
      const socketPath = storage.exportPath(`p${index}`);
      await client.call('point.open', { vmId, pointId, socketPath });
      await io(`nbd+unix:///${pointId}?socket=${socketPath}`, true, ...commands);
    }
    await io(now, false, 'read -P 3 0 4M', 'read -P 0 4M 1M', 'read -P 0 8M 2M', 'read -P 1 12M 4M');
  });
});
