// The timeline of a VM as people see it. A moment is one point per disk, taken at one barrier; a point is a
// moment of one disk and owns the UUID (T1). Logical ancestry (who was taken after whom) and storage
// direction (which file hangs off which) are told apart: reversal turns the second and never the first.
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
  /** In the trash since; null where it is not. */
  trashedAt: timeMsSchema.nullable(),
  points: z.array(
    z.object({
      diskId: diskIdSchema,
      pointId: pointIdSchema,
      /** As large as the disk was then: a disk may have grown since. */
      virtualBytes: bytesSchema,
      /** `root`: one ordinary VHD; `delta`: a differencing VHD that hangs off its parent. */
      form: z.enum(['root', 'delta']),
      allocatedBytes: bytesSchema,
    }),
  ),
  allocatedBytes: bytesSchema,
  /** Bytes that come back at once when this moment is deleted; null where it is merged into its neighbours instead. */
  freesBytes: bytesSchema.nullable(),
  /** Why it is not deleted, as a sentence; null where it can be. */
  keptBecause: z.string().max(300).nullable(),
  /** What is kept of it beside its points; absent where nothing is. */
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

/** How the newest finished reversal of this engine's life went. */
export const reversalReportSchema = z.object({
  toMomentId: momentIdSchema,
  bytes: bytesSchema,
  batches: z.int().min(0),
  durationMs: z.number().min(0),
});
export type ReversalReport = z.infer<typeof reversalReportSchema>;

/** What a moment costs, to the byte on the disk where at once, in 4 KiB units where later. */
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

/** Background work on a disk, whatever it is; of an edge being turned `reversal` says more. */
export const settleWorkSchema = z.object({
  /** `merge`: a deleted point leaves the tree; `checksum`: what was never summed is read once; `compact`: unused space is given back. */
  kind: z.enum(['reversal', 'undo', 'merge', 'checksum', 'compact']),
  diskId: diskIdSchema,
  bytesDone: bytesSchema,
  bytesTotal: bytesSchema,
  /** 0 while none is known, and while it is paused. */
  bytesPerSecond: bytesSchema,
});
export type SettleWork = z.infer<typeof settleWorkSchema>;

export const settleSchema = z.object({
  state: z.enum(['rest', 'settling', 'paused', 'blocked']),
  /** Told to pause: also at rest, where nothing shows of it until there is something to do. */
  isPaused: z.boolean(),
  /** It waits for the charger, as if it were paused. */
  isHeld: z.boolean(),
  /** Edges still to turn, the one under way included. */
  pendingEdges: z.int().min(0),
  /** What is under way, or was when it was paused. */
  work: settleWorkSchema.nullable(),
  reversal: reversalSchema.nullable(),
  /** Told to give unused space back, and not done yet; and what that freed so far, or the last time. */
  compact: z.object({ isPending: z.boolean(), isPaused: z.boolean(), freedBytes: bytesSchema }),
  last: reversalReportSchema.nullable(),
  /** Why it is blocked (disk full, poisoned file …), as a sentence. */
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
  /** Bytes written since then. */
  nowBytes: bytesSchema,
  settle: settleSchema,
  freeBytes: bytesSchema,
});
export type Timeline = z.infer<typeof timelineSchema>;

/** What was found when a lost database was made anew from the images. */
export const rescuedSchema = z.object({
  points: z.int().min(0),
  /** Of them, those whose names were lost. */
  nameless: z.int().min(0),
  /** What could not be used, as sentences. */
  notes: z.array(z.string().max(2000)).max(1000),
});
export type Rescued = z.infer<typeof rescuedSchema>;

export const settleOrderSchema = z.enum(['run', 'pause', 'undo']);
/** Giving unused space back: `run` goes on where it was paused. */
export const compactOrderSchema = z.enum(['run', 'pause', 'stop']);
export type CompactOrder = z.infer<typeof compactOrderSchema>;

/** What a point can be written out as. */
export const exportFormatSchema = z.enum(['vhd', 'vhd-fixed', 'vhdx', 'qcow2', 'vmdk', 'raw']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;
