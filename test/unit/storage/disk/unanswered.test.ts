// T3, T14: what the host does not answer is no answer: nothing goes on with what it knew before, nothing is recorded that
// cannot be read, and what failed is not forgotten.
import { describe, expect, it } from 'vitest';
import type { Folder } from '../../../../electron/platform/ports.ts';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { uncertain } from '../../../../electron/storage/disk/engine-faults.ts';
import type { Image } from '../../../../electron/storage/disk/image.ts';
import { type Layer, View } from '../../../../electron/storage/disk/layers.ts';
import { RunFile, runFileNames } from '../../../../electron/storage/disk/run-file.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { microtasks, pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const VM = '00000000-0000-4000-8000-000000000001' as VmId;
const DISK = '00000000-0000-4000-8000-000000000002' as DiskId;
const UNIT = 4096;

/** Ended or not, with what it answers. */
async function done<T>(world: SimWorld, work: Promise<T>): Promise<T> {
  await pump(world, work);
  return work;
}

async function opened(world: SimWorld): Promise<VmEngine> {
  const engine = await done(world, engineOn(world, VM, { blockBytes: 16_384, autoSettle: false }));
  if (engine.timeline().disks.length === 0) await done(world, engine.createDisk(DISK, 2 ** 20));
  return engine;
}

const write = (engine: VmEngine, unit: number, value: number, units = 1): void =>
  engine.volume(DISK).write(new Uint8Array(units * UNIT).fill(value), unit * UNIT);

function valueAt(engine: VmEngine, unit: number): number | undefined {
  const bytes = new Uint8Array(UNIT);
  engine.volume(DISK).read(bytes, unit * UNIT);
  return bytes[0];
}

const take = (world: SimWorld, engine: VmEngine, name: string): Promise<Moment> =>
  done(world, engine.takeMoment({ name, note: '', kind: 'manual' }));

/** 1, then 2, settled, then 3 in Now; closed. Answers the older one. */
async function twoPoints(world: SimWorld): Promise<Moment> {
  const engine = await opened(world);
  write(engine, 0, 1);
  const first = await take(world, engine, 'first');
  write(engine, 0, 2);
  await take(world, engine, 'second');
  await done(world, engine.settle());
  write(engine, 0, 3);
  await done(world, engine.close());
  return first;
}

const idOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;

describe('T7: going back to a point that cannot be read', () => {
  it.each(['gone', 'damaged'])('whose file is %s is refused, and Now is as it was', async how => {
    const world = new SimWorld(new Seeded(1), 'boot-0');
    const first = await twoPoints(world);
    const folder = world.folder(DISK);
    const name = `${idOf(first)}.vhd`;
    if (how === 'gone') await done(world, folder.unlink(name));
    else folder.open(name, 'existing').write(new Uint8Array(512).fill(0x55), 512);
    const again = await opened(world);
    await expect(done(world, again.goBack({ momentId: first.id, keepName: 'kept' }))).rejects.toBeInstanceOf(
      Fault,
    );
    expect([valueAt(again, 0), again.timeline().moments.length]).toEqual([3, 2]);
    await done(world, again.close());
    expect(valueAt(await opened(world), 0)).toBe(3);
  });
});

it('T3: a chain that cannot be asked for is asked for again, and the old one is not read meanwhile', () => {
  const image = (value: number): Layer => ({
    image: {
      has: () => true,
      isDifferencing: false,
      unitsPerBlock: 4,
      blockBytes: 16_384,
      value,
    } as unknown as Image,
    endBytes: Number.POSITIVE_INFINITY,
  });
  let chain = (): Layer[] => [image(1)];
  const view = new View(() => chain());
  expect(view.owner(0)).toMatchObject({ value: 1 });
  chain = () => {
    throw noAnswer();
  };
  view.reset();
  expect(() => view.owner(0)).toThrow('No answer.');
  chain = () => [image(2)];
  expect(view.owner(0)).toMatchObject({ value: 2 });
});

it('T14: after a sync of handles of its own has failed no export and no closing makes a disk believed', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const engine = await opened(world);
  write(engine, 0, 1);
  const moment = await take(world, engine, 'first');
  world.failSyncs = 1;
  const share = engine.sharing.share(idOf(moment), world.folder('other' as DiskId), () => undefined);
  await expect(done(world, share)).rejects.toMatchObject({ body: { code: 'disk.io' } });
  expect(() => engine.trust(DISK)).toThrow(/not written/);
  await done(world, engine.close());
  expect((await opened(world)).timeline().disks[0]?.poisoned).toMatch(/sync failed/);
});

it('T14: of a disk in doubt no guest is told either what is a hole', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const engine = await opened(world);
  write(engine, 0, 1);
  world.failSyncs = 1;
  await expect(done(world, engine.volume(DISK).flush())).rejects.toBeInstanceOf(Fault);
  world.crash('process');
  const after = world.after;
  if (after === null) throw new Error('nothing survived');
  const again = await opened(after);
  expect(() => again.volume(DISK).extents(0, 2 ** 20, 16)).toThrow(/not written/);
});

it('T14: a file whose size cannot be asked for keeps nobody from a timeline', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const first = await twoPoints(world);
  const folder: Folder = world.folder(DISK);
  const { exists } = Object.getPrototypeOf(folder) as Folder;
  Object.getPrototypeOf(folder).exists = function (this: Folder, name: string) {
    if (name === `${idOf(first)}.vhd`) throw noAnswer();
    return exists.call(this, name);
  };
  try {
    expect((await opened(world)).timeline().moments).toMatchObject([{ id: first.id, allocatedBytes: 0 }, {}]);
  } finally {
    Object.getPrototypeOf(folder).exists = exists;
  }
});

it('T11, T14: a run file is opened on a full host, and its first record waits for room', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const folder = world.folder(DISK);
  const uuid = '00000000-0000-4000-8000-000000000003';
  const record = { block: 1, entry: 8, firstUnit: 0, units: 1 };
  for (const name of runFileNames(uuid)) folder.open(name, 'create').close();
  world.shorten(0);
  const run = RunFile.open(folder, uuid, 'boot-0', () => undefined);
  expect(() => run.append(record)).toThrow(/space/);
  world.relieve();
  run.append(record);
  run.close();
  await microtasks();
  const found: unknown[] = [];
  RunFile.open(folder, uuid, 'boot-0', one => found.push(one));
  expect(found).toEqual([record]);
});

it.each([1, 2])(
  'T3: of a rename that failed, though it was done, no reader sees another file (rename %i)',
  async nth => {
    const world = new SimWorld(new Seeded(1), 'boot-0');
    const engine = await opened(world);
    engine.setSettling(false);
    for (const value of [1, 2]) {
      write(engine, 0, value, 8);
      write(engine, 9, 3 - value);
      await take(world, engine, `point ${value}`);
    }
    const prototype = Object.getPrototypeOf(world.folder(DISK)) as Folder;
    const { rename } = prototype;
    let count = 0;
    prototype.rename = function (this: Folder, from: string, to: string) {
      rename.call(this, from, to);
      if (to.endsWith('.vhd') && ++count === nth) throw noAnswer();
    };
    const seen = new Set<string>();
    engine.onChange(() => {
      const { state } = engine.timeline().settle;
      if (state === 'blocked') seen.add(`${valueAt(engine, 0)} ${valueAt(engine, 9)}`);
    });
    try {
      engine.setSettling(true);
      await done(world, engine.settle());
      expect([...seen]).toEqual(['2 1']);
    } finally {
      prototype.rename = rename;
    }
    await done(world, engine.settle());
    expect(engine.timeline().settle.state).toBe('rest');
    expect([valueAt(engine, 0), valueAt(engine, 9)]).toEqual([2, 1]);
    await done(world, engine.close());
    expect(valueAt(await opened(world), 0)).toBe(2);
  },
);

it('T7, T14: after a going back of which nobody knows whether it is recorded the folder is to be opened again', async () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const engine = await opened(world);
  write(engine, 0, 1);
  const first = await take(world, engine, 'first');
  write(engine, 0, 2);
  const commit = world.store.commit.bind(world.store);
  let isUnsure = true;
  world.store.commit = changes => {
    commit(changes);
    if (isUnsure) throw uncertain('timeline.db');
  };
  await expect(done(world, engine.goBack({ momentId: first.id, keepName: 'kept' }))).rejects.toMatchObject({
    body: { code: 'disk.poisoned' },
  });
  isUnsure = false;
  expect(engine.isPoisoned()).toBe(true);
  expect(() => engine.trust(DISK)).toThrow(/not known/);
  // Nobody is served; who would write all the same breaks nothing.
  expect(() => write(engine, 0, 9)).toThrow(/sealed/);
  await done(world, engine.close());
  expect(valueAt(await opened(world), 0)).toBe(1);
});

const noAnswer = (): Fault => new Fault({ code: 'disk.io', what: 'No answer.', safe: '', todo: '' });
