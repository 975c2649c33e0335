// What a universe may be made of, and where its host may die; chosen by its seed.
import { SPARE_BYTES } from '../../../electron/storage/disk/copy.ts';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { diskIdSchema, vmIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { SimWorld } from './device.ts';

export const VM = vmIdSchema.parse('11111111-1111-4111-8111-111111111111');
export const DISKS = [
  diskIdSchema.parse('22222222-2222-4222-8222-222222222221'),
  diskIdSchema.parse('22222222-2222-4222-8222-222222222222'),
];

export interface UniverseOptions {
  readonly seed: number;
  readonly steps: number;
  /** The most deaths of the host or of storage alone. */
  readonly deaths: number;
  readonly alternatives?: number;
  readonly switchOff?: SwitchOffs;
}

/** No file of ours has so small blocks: a tiny disk has many, and a BAT of several sectors. */
export const SHAPES = [
  { blockBytes: 32 * 1024, virtualBytes: 120_000, batchBytes: 32 * 1024 },
  { blockBytes: 16 * 1024, virtualBytes: 60_000, batchBytes: 8 * 1024 },
  { blockBytes: 8 * 1024, virtualBytes: 130_000, batchBytes: 24 * 1024 },
  { blockBytes: 4 * 1024, virtualBytes: 600_000, batchBytes: 48 * 1024 },
];
/** The largest size disks grow to, in bytes: they are judged sector by sector, which must stay cheap. */
export const GROWN_MAX = 1_500_000;
/** How many rounds to wait for what is under way to end, far above what anything takes. */
export const ROUNDS_MAX = 100_000;
const FUSES = [3, 10, 30, 100, 300];
/** Half of the crashes fall in calls that make a step durable: mistakes show there. */
const FUSE_PLACES = [
  'sync folder',
  '.new ends',
  'sync',
  '.new',
  '→',
  'commit',
  'merging',
  'undoing',
  'unlinked',
];
const GROWING_PLACES = ['resizing', 'shrinking', 'undoing', 'commit'];

/** Places where few calls are made, so that a longer fuse would never burn down. */
const BRIEF = new Set(['undoing', 'resizing', 'shrinking']);

export function aFuse(
  random: Seeded,
  isGrowing: boolean,
  isShrinking: boolean,
): NonNullable<SimWorld['fuse']> {
  const kind = random.below(100) < 60 ? 'power' : 'process';
  const at = random.below(2) === 0 ? '' : random.pick(isGrowing ? GROWING_PLACES : FUSE_PLACES);
  const longest = at === '' ? random.pick(FUSES) : BRIEF.has(at) ? 3 : 12;
  const fuse = { left: 1 + random.below(longest), kind, at } as const;
  return isShrinking ? { left: 1 + random.below(3), kind: 'power', at: 'shrinking' } : fuse;
}

/** Short of what is written, of what a leaf needs, or of what background work leaves free (T14). */
const SHORTAGES = [0, 2 ** 20, SPARE_BYTES, SPARE_BYTES + 100_000];

/** Begins and ends shortages of space, and fails syncs. Answers whether settling was refused meanwhile. */
export function strike(random: Seeded, world: SimWorld, engine: VmEngine): boolean {
  let isRefused = false;
  if (world.isFull) {
    if (random.below(12) === 0) {
      isRefused = isSettlingRefused(engine);
      world.relieve();
    }
  } else if (random.below(25) === 0)
    world.shorten(random.below(30_000) + (world.isHonest ? random.pick(SHORTAGES) : 0));
  else if (random.below(120) === 0) world.failSyncs = 1;
  if (random.below(10) === 0) world.ring();
  return isRefused;
}

/**
 * T16, T14: a host can share ranges or not, punch or not, tell its free space or not, write in place or copy;
 * all promise the same.
 */
export function equip(world: SimWorld, seed: number): SimWorld {
  world.canClone = seed % 2 === 0;
  world.canPunch = seed % 4 < 2;
  world.isHonest = seed % 3 === 0;
  world.isCopyOnWrite = seed % 5 < 2;
  return world;
}

export const tally = (counts: Map<string, number>, kind: string): void =>
  void counts.set(kind, (counts.get(kind) ?? 0) + 1);

/** The engine found too little room before it began anything. */
export const isRefusal = (cause: unknown): boolean =>
  cause instanceof Fault && cause.body.code === 'disk.full' && cause.body.data?.needs !== undefined;

/** The same for settling. */
export const isSettlingRefused = (engine: VmEngine): boolean =>
  engine.timeline().settle.reason?.includes('Tidying the history needs') === true;

/** Picks the sectors of a request: most often near the start of the disk, so that histories overlap. */
export function aRange(random: Seeded, sectors: number): { readonly first: number; readonly count: number } {
  const isAligned = random.below(3) > 0;
  const longest = random.pick([1, 8, 24, 100]);
  let first = random.below(sectors);
  let count = 1 + random.below(longest);
  if (random.below(2) === 0) first %= 64;
  if (isAligned) {
    first -= first % 8;
    count = Math.ceil(count / 8) * 8;
  }
  return { first, count: Math.min(count, sectors - first) };
}
