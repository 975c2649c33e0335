// T14: what a full disk stopped gives its room back at once, also where there is none for a transaction.
import { beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const [diskId, otherId] = [
  '00000000-0000-4000-8000-000000000002',
  '00000000-0000-4000-8000-000000000003',
].map(id => id as DiskId) as [DiskId, DiskId];
const full = { body: { code: 'disk.full' } };

let world: SimWorld;
let engine: VmEngine;

async function ended<T>(work: Promise<T>): Promise<T> {
  await pump(world, work);
  return work;
}
const refuseCommits = (): void => {
  world.store.beforeCommit = () => {
    throw new Fault({ code: 'disk.full', what: 'Simulated.', safe: 'All.', todo: 'Nothing.' });
  };
};
const relieve = async (): Promise<void> => {
  world.relieve();
  world.store.beforeCommit = () => undefined;
  world.ring();
  await ended(engine.settle());
};
const updates = (): string[] => {
  const known = [...world.store.rows('point'), { id: world.store.rows('disk')[0]?.leaf }];
  const images = known.map(({ id }) => `${id}.vhd`);
  return world
    .folder(diskId)
    .list()
    .filter(name => /\.vhd/.test(name) && !images.includes(name));
};

beforeEach(async () => {
  world = new SimWorld(new Seeded(1), 'boot-0');
  const opening = engineOn(world, vmId, { blockBytes: 8192 });
  engine = await ended(opening);
  await ended(engine.createDisk(diskId, 100_000));
  engine.volume(diskId).write(Buffer.alloc(4096, 7), 0);
  await ended(engine.takeMoment({ name: 'first', note: '', kind: 'manual' }));
});

async function begun(): Promise<Awaited<ReturnType<VmEngine['grafts']['begin']>>> {
  const pointId = engine.timeline().moments[0]?.points[0]?.pointId as PointId;
  const graft = await ended(engine.grafts.begin(pointId));
  expect(updates()).toEqual([`${graft.id}.vhd.part`]);
  return graft;
}

describe('a disk that is full', () => {
  it('T14: keeps nothing of an update it had no room for, and its record only until there is', async () => {
    const { id, volume } = await begun();
    world.shorten(10_000);
    expect(() => volume.write(Buffer.alloc(65_536, 1), 0)).toThrow('no space');
    refuseCommits();
    await ended(engine.grafts.discard(id));
    expect(updates()).toEqual([]);
    expect(world.store.rows('op')).toHaveLength(1);
    await relieve();
    expect([...world.store.rows('op'), ...world.store.rows('unlink')]).toEqual([]);
  });

  it('T14: keeps nothing of an update that could not become a point', async () => {
    const { id, volume } = await begun();
    volume.write(Buffer.alloc(4096, 1), 0);
    refuseCommits();
    await expect(
      ended(engine.grafts.commit(id, { name: 'late', note: '', origin: 'x' })),
    ).rejects.toMatchObject(full);
    expect(updates()).toEqual([`${id}.vhd`]);
    await ended(engine.grafts.discard(id));
    expect(updates()).toEqual([]);
    await relieve();
    expect(engine.timeline().moments).toHaveLength(1);
  });

  it.each([0, 1024, 3000])(
    'T14: keeps nothing of a disk that was not made for want of more than %i bytes',
    async left => {
      world.shorten(left);
      refuseCommits();
      await expect(ended(engine.createDisk(otherId, 100_000))).rejects.toMatchObject(full);
      expect(world.folder(otherId).list()).toEqual([]);
      expect(engine.timeline().disks).toHaveLength(1);
    },
  );
});
