// A take that was recorded and could not be finished, because the host's disk is full (T14): the guest goes on.
import { describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import type { DiskId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const full = new Fault({ code: 'disk.full', what: 'Simulated.', safe: 'All.', todo: 'Nothing.' });

const openIn = (world: SimWorld): Promise<VmEngine> =>
  engineOn(world, vmId, { blockBytes: 8192, autoSettle: false });

/** Whatever is under way ends, one thing after another; null where the work still waits then. */
async function ended<T>(world: SimWorld, work: Promise<T>): Promise<PromiseSettledResult<T> | null> {
  let result: PromiseSettledResult<T> | null = null;
  void Promise.allSettled([work]).then(([settled]) => {
    result = settled;
  });
  for (let idle = 0; result === null && idle < 4; ) {
    await new Promise(resolve => setImmediate(resolve));
    if (world.waiting > 0) world.advance();
    else idle++;
  }
  return result;
}

async function opened(world: SimWorld): Promise<VmEngine> {
  const result = await ended(world, openIn(world));
  if (result?.status !== 'fulfilled') throw new Error('it does not open');
  return result.value;
}

const isRecorded = (world: SimWorld): boolean => world.store.rows('op').some(op => op.kind === 'take');

async function withLateTake(world: SimWorld, beforeCommit: (world: SimWorld) => void): Promise<VmEngine> {
  const engine = await opened(world);
  await ended(world, engine.createDisk(diskId, 100_000));
  engine.volume(diskId).write(Buffer.alloc(4096, 7), 0);
  world.store.beforeCommit = () => beforeCommit(world);
  const taken = await ended(world, engine.takeMoment({ name: 'late', note: '', kind: 'manual' }));
  expect(taken).toMatchObject({ status: 'rejected', reason: { body: { code: 'disk.full' } } });
  world.relieve();
  engine.volume(diskId).write(Buffer.alloc(4096, 8), 8192);
  return engine;
}

describe('a take that waits for room', () => {
  it('T14: does not keep flushes waiting with it', async () => {
    const world = new SimWorld(new Seeded(1), 'boot-0');
    const engine = await withLateTake(world, () => {
      if (isRecorded(world)) throw full;
    });
    expect(await ended(world, engine.volume(diskId).flush())).toMatchObject({ status: 'fulfilled' });
  });

  it('T12, T14: keeps nothing back from a close: what was written is on the disk, in both leaves', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new SimWorld(new Seeded(seed), 'boot-0');
      // There is room for the record, and none for sealing.
      const engine = await withLateTake(world, () => world.shorten(0));
      expect(isRecorded(world)).toBe(true);
      world.store.beforeCommit = () => undefined;
      expect(await ended(world, engine.close())).toMatchObject({ status: 'fulfilled' });
      world.crash('power');
      if (world.after === null) throw new Error('the power was not cut');
      const again = await opened(world.after);
      const found = Buffer.alloc(12_288);
      again.volume(diskId).read(found, 0);
      expect([found[0], found[8192]], `seed ${seed}`).toEqual([7, 8]);
      expect(again.timeline().moments).toMatchObject([{ name: 'late' }]);
    }
  });
});
