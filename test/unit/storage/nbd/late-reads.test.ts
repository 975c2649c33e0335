// Reads that wait for a cold disk while others are served (T3): of Now while a client writes, verifies and points are taken
// and turned, and of points meanwhile. Here every read waits, whatever the page cache holds.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { Coldness } from '../../../../electron/storage/nbd/coldness.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { pump } from '../../../sim/storage/pump.ts';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { NbdClient } from '../../../support/nbd-client.ts';
import { nbdFixture } from '../../../support/nbd-fixture.ts';
import { Seeded } from '../../../support/seeded.ts';

const run = promisify(execFile);
const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 1 << 20;
const TAKES = 4;
// Other programs on a loaded machine: this only ends a hang.
vi.setConfig({ testTimeout: 300_000 });

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const fio = (uri: string, round: number): Promise<unknown> =>
  run('fio', [
    ...['--name=verify', '--ioengine=nbd', `--uri=${uri}`, '--rw=randrw', '--bssplit=512/10:4k/50:64k/40'],
    ...['--iodepth=16', '--size=20M', '--verify=crc32c', '--verify_fatal=1', '--do_verify=1'],
    ...['--verify_state_save=0', '--fsync=32', `--randseed=${round}`],
  ]);

it('T3, T4: fio verifies over them, and every point stays what it is, while points are taken and turned', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-t-late-'));
  const engine = await openVmFolder(vmId, folder, { turn }, { batchBytes: 256 * 1024 });
  try {
    await engine.createDisk(diskId, 24 * MIB);
    const lateReads = 'always';
    await using now = await nbdFixture({ now: engine.volume(diskId) }, { lateReads });
    const taken = new Map<PointId, string>();
    const take = async (): Promise<void> => {
      const { points } = await engine.takeMoment({ name: 'p', note: '', kind: 'manual' });
      const pointId = points[0]?.pointId as PointId;
      taken.set(pointId, await engine.hashPoint(pointId));
    };
    const read = async (pointId: PointId): Promise<void> => {
      await using point = await nbdFixture({ point: engine.pointReader(pointId) }, { lateReads });
      const out = join(point.folder, 'out');
      await run('nbdcopy', [point.uri, out]);
      const found = createHash('sha256').update(readFileSync(out)).digest('hex');
      expect(found, `point ${pointId}`).toBe(taken.get(pointId));
      expect(point.bugs).toEqual([]);
    };
    for (let round = 1; round <= TAKES; round++) {
      const verified = fio(now.uri, round);
      await take();
      await Promise.all([verified, ...[...taken.keys()].map(read)]);
    }
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'rest', pendingEdges: 0 });
    for (const pointId of taken.keys()) await read(pointId);
    expect(now.bugs).toEqual([]);
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

it('T14: what was read of a file whose sync failed is not believed, whether it failed before or meanwhile', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const opening = engineOn(world, vmId, { blockBytes: 8192 });
  await pump(world, opening);
  const engine = await opening;
  await pump(world, engine.createDisk(diskId, 100_000));
  const volume = engine.volume(diskId);
  volume.write(Buffer.alloc(4096, 7), 0);
  const poisoned = { body: { code: 'disk.poisoned' } };
  world.failSyncs = 1;
  const flushing = volume.flush();
  const meanwhile = volume.readLater?.(Buffer.alloc(4096), 0);
  await expect(pump(world, flushing)).rejects.toMatchObject({ body: { code: 'disk.io' } });
  // It was there before the sync failed: either is right.
  await meanwhile?.catch((cause: unknown) => expect(cause).toMatchObject(poisoned));
  await expect(volume.readLater?.(Buffer.alloc(4096), 0)).rejects.toMatchObject(poisoned);
});

it('a client that leaves before its reads are there, or a server that closes, waits for nobody', async () => {
  const volume = new MemoryVolume(MIB);
  let arrive = (): void => undefined;
  const arrived = new Promise<void>(resolve => {
    arrive = resolve;
  });
  volume.readLater = () => arrived;
  const nbd = await nbdFixture({ disk0: volume }, { lateReads: 'always' });
  for (const isLeaving of [true, false]) {
    const client = await NbdClient.open(nbd.socketPath);
    for (let count = 0; count < 40; count++) client.post({ command: 0, offset: 512 * count, length: 512 });
    // What needs no disk is answered past those that do, as long as fewer wait than may.
    if (isLeaving) client.close();
  }
  await nbd.server.close();
  arrive();
  await turn();
  expect(nbd.bugs).toEqual([]);
  rmSync(nbd.folder, { recursive: true, force: true });
});

it('is cold after some slow reads, and hot again after few that were not, also where one read in many is slow', () => {
  let nowMs = 0;
  const coldness = new Coldness(() => nowMs);
  const takes = (ms: number) => (): void => {
    nowMs += ms;
  };
  const times = (count: number, ms: number): void => {
    for (let read = 0; read < count; read++) coldness.timed(4096, takes(ms));
  };
  const lateOf = (count: number): number =>
    Array.from({ length: count }, () => coldness.isNextLate(true)).filter(isLate => isLate).length;
  times(100, 0.004);
  times(1, 50);
  expect(lateOf(100)).toBe(0);
  times(20, 0.2);
  expect(coldness.isNextLate(false)).toBe(false);
  // One in so many is timed.
  expect(lateOf(320)).toBe(310);
  times(4, 0.004);
  expect(lateOf(100)).toBe(0);
});
