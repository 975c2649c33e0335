// What universes are made of: disks small enough to be read whole after every crash, and places where hosts die.

/** Block sizes no file of ours has, so that a tiny disk has many blocks, bitmaps and a BAT of several sectors. */
export const SHAPES = [
  { blockBytes: 32 * 1024, virtualBytes: 120_000, batchBytes: 32 * 1024 },
  { blockBytes: 16 * 1024, virtualBytes: 60_000, batchBytes: 8 * 1024 },
  { blockBytes: 8 * 1024, virtualBytes: 130_000, batchBytes: 24 * 1024 },
  { blockBytes: 4 * 1024, virtualBytes: 600_000, batchBytes: 48 * 1024 },
];
export const FUSES = [3, 10, 30, 100, 300];
/** Half of the crashes wait for calls in which a step becomes durable; there is where mistakes show. */
export const FUSE_PLACES = [
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
