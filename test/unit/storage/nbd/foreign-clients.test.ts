// Other people's NBD clients against our server: what they see, and every byte they move.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { EITHER_WAY, nbdFixture } from '../../../support/nbd-fixture.ts';
import { randomBytes } from '../../../support/seeded.ts';

const run = promisify(execFile);
const MIB = 1 << 20;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Prints why, and answers whether to skip: these tools are installed by `npm test`'s bootstrap. */
function lacks(tool: string): boolean {
  const found = spawnSync(tool, ['--version']).error === undefined;
  if (!found) console.log(`SKIPPED: ${tool} is not installed; run npm test, which installs it`);
  return !found;
}

/** Random data with holes, so that extents mean something. */
function sparse(sizeBytes: number, seed: number): Buffer {
  const bytes = randomBytes(sizeBytes, seed);
  for (let at = 0; at < sizeBytes; at += 512 * 1024) bytes.fill(0, at, at + 128 * 1024);
  return bytes;
}

describe.each(EITHER_WAY)('foreign NBD clients, late reads: %s', lateReads => {
  it.skipIf(lacks('nbdinfo'))('nbdinfo lists the exports with size, flags and block sizes', async () => {
    await using nbd = await nbdFixture(
      {
        disk0: new MemoryVolume(8 * MIB + 512),
        old: new MemoryVolume(MIB, true),
      },
      { lateReads },
    );
    const { stdout } = await run('nbdinfo', ['--list', '--json', nbd.uri]);
    const { exports } = JSON.parse(stdout) as { exports: Record<string, unknown>[] };
    expect(exports[0]).toMatchObject({
      'export-name': 'disk0',
      'export-size': 8 * MIB + 512,
      contexts: ['base:allocation'],
      is_read_only: false,
      can_flush: true,
      can_fua: true,
      can_trim: true,
      can_zero: true,
      can_df: true,
      can_multi_conn: true,
      can_fast_zero: true,
      can_cache: false,
      block_size_minimum: 512,
      block_size_preferred: 4096,
      block_size_maximum: 32 * MIB,
    });
    expect(exports[1]).toMatchObject({ 'export-name': 'old', is_read_only: true, can_trim: false });
  });

  it.skipIf(lacks('nbdcopy'))('nbdcopy moves an image in over four connections and out again', async () => {
    const image = sparse(64 * MIB, 11);
    const volume = new MemoryVolume(image.length);
    volume.bytes.fill(0xee);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const [from, to] = [join(nbd.folder, 'from'), join(nbd.folder, 'to')];
    writeFileSync(from, image);
    await run('nbdcopy', ['--connections=4', '--flush', from, nbd.uri]);
    expect(sha(volume.bytes)).toBe(sha(image));
    await run('nbdcopy', ['--connections=4', nbd.uri, to]);
    expect(sha(readFileSync(to))).toBe(sha(image));
    expect(volume.flushes).toBeGreaterThan(0);
  });

  it.skipIf(lacks('qemu-img'))('qemu-img converts onto it and back and maps its holes', async () => {
    const image = sparse(16 * MIB, 12);
    const volume = new MemoryVolume(image.length);
    volume.bytes.fill(0xee);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const [from, to] = [join(nbd.folder, 'from'), join(nbd.folder, 'to')];
    writeFileSync(from, image);
    await run('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', from, nbd.uri]);
    expect(sha(volume.bytes)).toBe(sha(image));
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', nbd.uri, to]);
    expect(sha(readFileSync(to))).toBe(sha(image));
    const { stdout } = await run('qemu-img', ['map', '-f', 'raw', '--output=json', nbd.uri]);
    const map = JSON.parse(stdout) as { start: number; length: number; zero: boolean }[];
    expect(map).toHaveLength(64);
    expect(map[1]).toMatchObject({ start: 128 * 1024, length: 384 * 1024, zero: false });
    expect(map[2]).toMatchObject({ start: 512 * 1024, length: 128 * 1024, zero: true });
  });

  it.skipIf(lacks('qemu-io'))('qemu-io writes patterns, zeroes, discards, also unaligned', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(64 * MIB) }, { lateReads });
    const commands = [
      'write -P 7 0 32M',
      'read -P 7 0 32M',
      'write -z 4k 64k',
      'write -z -u 100k 64k',
      'write -f -P 3 16M 1M',
      'write -z -f 17M 1M',
      'discard 20M 4M',
      'write -P 9 1001 3001',
      'read -P 9 1001 3001',
      'read -P 7 0 1001',
      'read -P 0 4k 64k',
      'read -P 0 100k 64k',
      'read -P 3 16M 1M',
      'read -P 0 17M 1M',
      'read -P 0 20M 4M',
      'read -P 7 24M 8M',
      'flush',
    ];
    // The pattern of 1001+3001 ends below 4 KiB; all else is block-aligned.
    const args = commands.flatMap(command => ['-c', command]);
    const { stdout, stderr } = await run('qemu-io', [
      '-t',
      'writeback',
      '-d',
      'unmap',
      '-f',
      'raw',
      ...args,
      nbd.uri,
    ]);
    expect(stdout + stderr).not.toMatch(/failed|error/i);
  });

  it.skipIf(lacks('fio'))('fio verifies what it wrote at random with many in flight', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(64 * MIB) }, { lateReads });
    const job = [
      '--rw=randrw',
      '--bssplit=4k/60:64k/30:512k/10',
      '--iodepth=32',
      '--size=64M',
      '--io_size=96M',
    ];
    const check = [
      '--verify=crc32c',
      '--verify_fatal=1',
      '--do_verify=1',
      '--verify_state_save=0',
      '--fsync=64',
      '--randseed=7',
    ];
    const { stdout } = await run('fio', [
      '--name=verify',
      '--ioengine=nbd',
      `--uri=${nbd.uri}`,
      ...job,
      ...check,
      '--output-format=json',
    ]);
    const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: { error: number }[] };
    expect(jobs.map(row => row.error)).toEqual([0]);
  });
});
