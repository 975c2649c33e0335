// Makes a rich history on the simulated machine: points, branches, merged points, an edge half turned. Notes
// what each of them reads as, and through which files.
import { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { type DiskId, diskIdSchema, type MomentId, type PointId, vmIdSchema } from '../../../shared/ids.ts';
import type { SettleWork } from '../../../shared/timeline.ts';
import { Seeded } from '../../support/seeded.ts';
import { pumpWorld } from '../programs/machine.ts';
import { SimWorld } from '../storage/device.ts';
import { Violation } from '../storage/judge.ts';

const VM = vmIdSchema.parse('11111111-1111-4111-8111-111111111111');
export const DISK: DiskId = diskIdSchema.parse('22222222-2222-4222-8222-222222222221');
const UNIT = 4096;

export interface Shape {
  readonly blockBytes: number;
  readonly virtualBytes: number;
}
export const SMALL: readonly Shape[] = [
  { blockBytes: 8 * 1024, virtualBytes: 100_000 },
  { blockBytes: 32 * 1024, virtualBytes: 200_000 },
];
/** The block size our real files have. */
export const REAL: Shape = { blockBytes: 2 * 2 ** 20, virtualBytes: 5 * 2 ** 20 };

export interface Known {
  readonly pointId: PointId;
  readonly content: Buffer;
  /** Names of the files that a read of it may touch. */
  readonly files: ReadonlySet<string>;
}

export interface History {
  /** The engine is closed: each flip begins with a copy of this world. */
  readonly world: SimWorld;
  readonly shape: Shape;
  readonly points: ReadonlyMap<MomentId, Known>;
  readonly now: Omit<Known, 'pointId'>;
  /** Files that no checksum covers wholly yet: the leaf, and points taken since all was at rest. */
  readonly unrecorded: ReadonlySet<string>;
  readonly leaf: string;
}

/** Drives the work to its end; rejects with its fault. */
export async function ended<T>(world: SimWorld, work: Promise<T>): Promise<T> {
  const outcome = await pumpWorld(world, work);
  if (outcome.is === 'failed') throw outcome.cause;
  if (outcome.is === 'dead') throw new Violation('the machine died');
  return outcome.value;
}

export const openIn = (world: SimWorld, { blockBytes }: Shape): Promise<VmEngine> =>
  ended(
    world,
    VmEngine.open(
      VM,
      {
        diskFolder: diskId => world.folder(diskId),
        store: world.store,
        clock: world.clock(),
        random: world.randomPort(),
        bootId: world.bootId,
        turn: () => world.later('turn', () => undefined),
      },
      { blockBytes, batchBytes: blockBytes, autoSettle: false },
    ),
  );

export function copyOf(world: SimWorld): SimWorld {
  world.crash('process');
  if (world.after === null) throw new Violation('no copy');
  return world.after;
}

class Maker {
  readonly world: SimWorld;
  readonly #random: Seeded;
  readonly #shape: Shape;
  engine: VmEngine | null = null;

  constructor(seed: number, shape: Shape) {
    this.#random = new Seeded(seed);
    this.#shape = shape;
    this.world = new SimWorld(new Seeded(seed), 'boot-0');
  }

  get live(): VmEngine {
    if (this.engine === null) throw new Violation('no engine');
    return this.engine;
  }

  async open(): Promise<void> {
    this.engine = await openIn(this.world, this.#shape);
  }

  write(times: number): void {
    const volume = this.live.volume(DISK);
    const units = Math.floor(volume.sizeBytes / UNIT);
    for (; times > 0; times--) {
      const first = this.#random.below(units);
      const count = Math.min(1 + this.#random.below(3), units - first);
      volume.write(Buffer.alloc(count * UNIT, 1 + this.#random.below(250)), first * UNIT);
    }
  }

  async take(): Promise<MomentId> {
    this.write(3 + this.#random.below(5));
    const taken = await ended(this.world, this.live.takeMoment({ name: 'taken', note: '', kind: 'manual' }));
    return taken.id;
  }

  settle(): Promise<void> {
    return ended(this.world, this.live.settle());
  }
}

export async function makeHistory(seed: number, shape: Shape): Promise<History> {
  const maker = new Maker(seed, shape);
  const { world } = maker;
  await maker.open();
  const live = maker.live;
  await ended(world, live.createDisk(DISK, shape.virtualBytes));
  await maker.take();
  const second = await maker.take();
  const third = await maker.take();
  await maker.settle();
  await ended(world, live.goBack({ momentId: second, keepName: 'kept' }));
  await maker.take();
  await maker.settle();
  await ended(world, live.deleteMoment(third));
  await ended(
    world,
    live.purge(() => true),
  );
  await maker.take();
  // The root's BAT moves to the end of its file (T3).
  const { sizeBytes } = live.volume(DISK);
  if (seed % 3 === 0) await ended(world, live.growDisk(DISK, sizeBytes + 3 * shape.blockBytes));
  const merging = await maker.take();
  await maker.settle();
  // From here on some data is not summed yet, and something is left half-done.
  await maker.take();
  await maker.take();
  if (seed % 4 === 1) await mergeHalf(maker, merging);
  if (seed % 2 === 0) await stopIn(maker, 'reversal');
  maker.write(2);
  return known(maker, shape);
}

/** Half-merges the point that was the newest when all was settled; the edge above it is turned first. */
async function mergeHalf(maker: Maker, id: MomentId): Promise<void> {
  const { world, live } = maker;
  await maker.settle();
  await ended(world, live.deleteMoment(id));
  await ended(
    world,
    live.purge(() => true),
  );
  await stopIn(maker, 'merge');
}

/** Stops settling in the middle of such work. */
async function stopIn({ world, live }: Maker, kind: SettleWork['kind']): Promise<void> {
  const settling = live.settle();
  for (;;) {
    const { work } = live.timeline().settle;
    if (work?.kind === kind && work.bytesDone > 0) break;
    await new Promise(resolve => setImmediate(resolve));
    if (world.waiting > 0) world.advance();
  }
  live.setSettling(false);
  await ended(world, settling);
}

async function known(maker: Maker, shape: Shape): Promise<History> {
  const { world, live } = maker;
  await ended(world, live.close());
  const copy = copyOf(world);
  const engine = await openIn(copy, shape);
  const points = new Map<MomentId, Known>();
  const rows = copy.store.rows('point');
  const [op] = copy.store.rows('op');
  const turning = op?.kind === 'copy' ? op : null;
  const filesOf = (from: PointId): Set<string> => {
    const files = new Set<string>();
    for (let id: PointId | null = from; id !== null; ) {
      files.add(`${id}.vhd`);
      if (turning?.root === id) files.add(`${id}.vhd.new`);
      const own: PointId = id;
      id = rows.find(row => row.id === own)?.parent ?? null;
    }
    return files;
  };
  const read = (volume: ReturnType<VmEngine['volume']>): Buffer => {
    const bytes = Buffer.alloc(volume.sizeBytes);
    volume.read(bytes, 0);
    return bytes;
  };
  for (const { id, points: own } of engine.timeline().moments)
    for (const { pointId } of own)
      points.set(id, { pointId, content: read(engine.pointReader(pointId)), files: filesOf(pointId) });
  const [disk] = copy.store.rows('disk');
  if (disk?.leafParent === undefined || disk.leafParent === null) throw new Violation('no Now');
  const leaf = `${disk.leaf}.vhd`;
  const files = filesOf(disk.leafParent).add(leaf);
  const unrecorded = new Set([leaf, ...rows.filter(({ sums }) => !sums).map(({ id }) => `${id}.vhd`)]);
  return { world, shape, points, now: { content: read(engine.volume(DISK)), files }, unrecorded, leaf };
}
