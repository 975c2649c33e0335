// The timeline of a VM as people see it. A moment is one point per disk, all taken at one barrier; a point
// is one disk's state and owns the UUID (T1). Logical ancestry (which moment was taken after which) and
// storage direction (which file hangs off which) are kept apart: reversal turns only the direction.
import * as z from 'zod';
import { diskIdSchema, momentIdSchema, pointIdSchema, vmIdSchema } from './ids.ts';
import { momentExtrasSchema } from './moment-extras.ts';
import { bytesSchema, timeMsSchema } from './units.ts';

export const momentKindSchema = z.enum(['imported', 'manual', 'automatic', 'kept']);
export type MomentKind = z.infer<typeof momentKindSchema>;

export const momentSchema = z.object({
  id: momentIdSchema,
  /** The moment people had before this one on its line; null for the first. */
  parentId: momentIdSchema.nullable(),
  name: z.string().max(200),
  note: z.string().max(4000),
  kind: momentKindSchema,
  pinned: z.boolean(),
  takenAt: timeMsSchema,
  /** When the moment was moved to the trash; null: it is not there. */
  trashedAt: timeMsSchema.nullable(),
  points: z.array(
    z.object({
      diskId: diskIdSchema,
      pointId: pointIdSchema,
      /** The disk's size at that point: it may have grown since. */
      virtualBytes: bytesSchema,
      /** `root`: one ordinary VHD; `delta`: a differencing VHD that hangs off its parent. */
      form: z.enum(['root', 'delta']),
      allocatedBytes: bytesSchema,
    }),
  ),
  allocatedBytes: bytesSchema,
  /** Bytes that come back at once when this moment is deleted; null where it is merged into its neighbours instead. */
  freesBytes: bytesSchema.nullable(),
  /** Why the moment cannot be deleted, as a sentence; null: it can be. */
  keptBecause: z.string().max(300).nullable(),
  /** What control keeps of the moment beside its points; absent: nothing. */
  extras: momentExtrasSchema.optional(),
});
export type Moment = z.infer<typeof momentSchema>;

/** One edge being turned round (T2). Counted in blocks of the forward delta. */
export const reversalSchema = z.object({
  diskId: diskIdSchema,
  /** The root whose content is being backed up, and the moment that becomes the root. */
  fromMomentId: momentIdSchema,
  toMomentId: momentIdSchema,
  phase: z.enum(['copy', 'flip', 'undo']),
  blocksDone: z.int().min(0),
  blocksTotal: z.int().min(0),
  bytesDone: bytesSchema,
  bytesTotal: bytesSchema,
  bytesPerSecond: bytesSchema,
  batches: z.int().min(0),
});
export type Reversal = z.infer<typeof reversalSchema>;

/** The newest reversal that finished since the VM's disks were opened. */
export const reversalReportSchema = z.object({
  toMomentId: momentIdSchema,
  bytes: bytesSchema,
  batches: z.int().min(0),
  durationMs: z.number().min(0),
});
export type ReversalReport = z.infer<typeof reversalReportSchema>;

/** What a moment costs. What it frees at once is exact; what it frees later is counted in 4 KiB units. */
export const momentCostSchema = z.object({
  allocatedBytes: bytesSchema,
  freesNowBytes: bytesSchema,
  /** Once its differences are merged into a neighbour, in the background. */
  freesLaterBytes: bytesSchema,
});
export type MomentCost = z.infer<typeof momentCostSchema>;

/** Where two points may differ, in 4 KiB units; `ranges` are the first ten thousand. */
export const pointDifferenceSchema = z.object({
  bytes: bytesSchema,
  ranges: z.array(z.object({ offset: bytesSchema, length: bytesSchema })),
  isTruncated: z.boolean(),
});
export type PointDifference = z.infer<typeof pointDifferenceSchema>;

/** Background work of any kind on a disk. While an edge is being turned, `reversal` has the details. */
export const settleWorkSchema = z.object({
  /**
   * `merge`: a deleted point leaves the tree; `checksum`: data without a checksum is read once to sum it;
   * `compact`: unused space is given back.
   */
  kind: z.enum(['reversal', 'undo', 'merge', 'checksum', 'compact']),
  diskId: diskIdSchema,
  bytesDone: bytesSchema,
  bytesTotal: bytesSchema,
  /** 0 while the speed is not known yet, and while the work is paused. */
  bytesPerSecond: bytesSchema,
});
export type SettleWork = z.infer<typeof settleWorkSchema>;

export const settleSchema = z.object({
  state: z.enum(['rest', 'settling', 'paused', 'blocked']),
  /** Settling was told to pause. True also at rest, where it has no effect until there is work. */
  isPaused: z.boolean(),
  /** Settling waits for the charger, as if it were paused. */
  isHeld: z.boolean(),
  /** Edges still to turn, the one under way included. */
  pendingEdges: z.int().min(0),
  /** The work under way, or that was under way when settling was paused. */
  work: settleWorkSchema.nullable(),
  reversal: reversalSchema.nullable(),
  /** Giving unused space back: whether it is still to do, and what it freed so far, or last time. */
  compact: z.object({ isPending: z.boolean(), isPaused: z.boolean(), freedBytes: bytesSchema }),
  last: reversalReportSchema.nullable(),
  /** Why settling is blocked (disk full, poisoned file …), as a sentence. */
  reason: z.string().max(500).nullable(),
});

export const diskSchema = z.object({
  id: diskIdSchema,
  virtualBytes: bytesSchema,
  allocatedBytes: bytesSchema,
  /** Files a read of Now may touch: 1 at rest without a leaf, 2 while running and settled (T17). */
  depth: z.int().min(0),
  poisoned: z.string().max(500).nullable(),
});

export const timelineSchema = z.object({
  vmId: vmIdSchema,
  disks: z.array(diskSchema),
  moments: z.array(momentSchema),
  /** Deleted and not yet gone: each can be restored. */
  trash: z.array(momentSchema),
  /** The moment Now grows from; null before the first moment. */
  nowParentId: momentIdSchema.nullable(),
  /** Bytes written since that moment. */
  nowBytes: bytesSchema,
  settle: settleSchema,
  freeBytes: bytesSchema,
});
export type Timeline = z.infer<typeof timelineSchema>;

/** What was found when a lost timeline.db was rebuilt from the images. */
export const rescuedSchema = z.object({
  points: z.int().min(0),
  /** How many of those points lost their names. */
  nameless: z.int().min(0),
  /** What could not be used, as sentences. */
  notes: z.array(z.string().max(2000)).max(1000),
});
export type Rescued = z.infer<typeof rescuedSchema>;

export const settleOrderSchema = z.enum(['run', 'pause', 'undo']);
/** Orders for giving unused space back: `run` also goes on where it was paused. */
export const compactOrderSchema = z.enum(['run', 'pause', 'stop']);
export type CompactOrder = z.infer<typeof compactOrderSchema>;

/** What a point can be written out as. */
export const exportFormatSchema = z.enum(['vhd', 'vhd-fixed', 'vhdx', 'qcow2', 'vmdk', 'raw']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;
