// What timeline.db holds, as plain rows. Pure. The database is the truth, the headers are enough to rebuild
// it (T5).
import * as z from 'zod';
import { diskIdSchema, momentIdSchema, pointIdSchema } from '../../../shared/ids.ts';
import { momentKindSchema } from '../../../shared/timeline.ts';
import { bytesSchema, timeMsSchema } from '../../../shared/units.ts';

export const diskRowSchema = z.object({
  id: diskIdSchema,
  /** The size of Now. Points from before a growth keep their own. */
  virtualBytes: bytesSchema,
  blockBytes: bytesSchema,
  /** UUID of the one writable image; becomes a point's UUID when sealed (T1). */
  leaf: pointIdSchema,
  /** The point the leaf hangs off; null while the leaf is the disk's first image. */
  leafParent: pointIdSchema.nullable(),
});
export const pointRowSchema = z.object({
  id: pointIdSchema,
  diskId: diskIdSchema,
  /** Null: the point has no moment; its file goes as soon as at most one image hangs off it (T8). */
  momentId: momentIdSchema.nullable(),
  /** The point that its file hangs off; null in the root. */
  parent: pointIdSchema.nullable(),
  /** Every block of its file has its checksums (record.ts), so that a missing one is damage. */
  sums: z.boolean().default(false),
  /**
   * UUID of the image, of another tool or VM, that its content came from. An image that names that UUID as
   * its parent fits here.
   */
  origin: z.string().nullable().default(null),
  /** Missing in rows of an older Ebb, whose disks never changed their size: then it is the disk's. */
  virtualBytes: bytesSchema.optional(),
});
export const momentRowSchema = z.object({
  id: momentIdSchema,
  parentId: momentIdSchema.nullable(),
  name: z.string(),
  note: z.string(),
  kind: momentKindSchema,
  pinned: z.boolean(),
  takenAt: timeMsSchema,
  /** In the trash since then; nothing of it is gone yet (T8). */
  trashedAt: timeMsSchema.nullable().default(null),
});
/** Work under way, so that recovery knows what it finds half-done. One reversal or merge per disk at most. */
export const opRowSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('copy'),
    id: z.string(),
    diskId: diskIdSchema,
    root: pointIdSchema,
    child: pointIdSchema,
  }),
  /** The same edge on its way back (T7). */
  z.object({
    kind: z.literal('undo'),
    id: z.string(),
    diskId: diskIdSchema,
    root: pointIdSchema,
    child: pointIdSchema,
  }),
  z.object({
    kind: z.literal('flip'),
    id: z.string(),
    diskId: diskIdSchema,
    root: pointIdSchema,
    child: pointIdSchema,
  }),
  /** `point` leaves the tree; `child`, the only image that hangs off it, takes its place (T8). */
  z.object({
    kind: z.literal('merge'),
    id: z.string(),
    diskId: diskIdSchema,
    point: pointIdSchema,
    child: pointIdSchema,
    direction: z.enum(['up', 'down']),
    stage: z.enum(['copy', 'flip']),
  }),
  /** Every disk listed gets a new leaf, whose UUID this is; the old leaf is being sealed (T6). */
  z.object({
    kind: z.literal('take'),
    id: z.string(),
    /** Null at rest: what changed becomes a point without a moment (T17). */
    moment: momentRowSchema.nullable(),
    /** `virtualBytes`: the disk has this size from now on. */
    leaves: z.array(
      z.object({ diskId: diskIdSchema, leaf: pointIdSchema, virtualBytes: bytesSchema.optional() }),
    ),
    /** Per disk, the UUID of the image that what is sealed came from, whole. */
    origins: z.array(z.object({ diskId: diskIdSchema, uuid: z.string() })).default([]),
  }),
  /** A rescue found this point unsealed, and it is no leaf any more: the opening seals it (T5, T11). */
  z.object({ kind: z.literal('seal'), id: z.string(), diskId: diskIdSchema, point: pointIdSchema }),
  /** Images give back what they hold for nothing, by id; `done`: the last one that has (compact.ts). */
  z.object({
    kind: z.literal('compact'),
    id: z.string(),
    diskId: diskIdSchema,
    done: pointIdSchema.nullable(),
    freedBytes: z.int().min(0),
    /** Goes on behind `done` once it is told to run. */
    isPaused: z.boolean().default(false),
  }),
  /** Images that are being filled and are no points yet: the next opening unlinks them (graft.ts). */
  z.object({
    kind: z.literal('graft'),
    id: z.string(),
    images: z.array(z.object({ diskId: diskIdSchema, point: pointIdSchema, parent: pointIdSchema })),
  }),
]);
/** A file that nothing refers to any more. Its unlink may take seconds: after the transaction (T8). */
export const unlinkRowSchema = z.object({ id: pointIdSchema, diskId: diskIdSchema });
/** One row: where Now grows from. */
export const nowRowSchema = z.object({
  id: z.literal('now'),
  momentId: momentIdSchema.nullable(),
  /** The going back that brought Now there, until the next point is taken: it is not done a second time. */
  wentBackBy: momentIdSchema.optional(),
});
/** One row, or none: whether background work is paused. It holds until told otherwise. */
export const settlingRowSchema = z.object({ id: z.literal('settling'), isPaused: z.boolean() });

export type DiskRow = z.infer<typeof diskRowSchema>;
export type PointRow = z.infer<typeof pointRowSchema>;
export type MomentRow = z.infer<typeof momentRowSchema>;
export type OpRow = z.infer<typeof opRowSchema>;
export type ReversalOp = Extract<OpRow, { kind: 'copy' | 'undo' | 'flip' }>;
export const isReversal = (op: OpRow): op is ReversalOp =>
  op.kind === 'copy' || op.kind === 'undo' || op.kind === 'flip';
export type MergeOp = Extract<OpRow, { kind: 'merge' }>;
export type CompactOp = Extract<OpRow, { kind: 'compact' }>;
export type SealOp = Extract<OpRow, { kind: 'seal' }>;
export type GraftOp = Extract<OpRow, { kind: 'graft' }>;
export type TakeOp = Extract<OpRow, { kind: 'take' }>;

export const ROW_SCHEMAS = {
  disk: diskRowSchema,
  point: pointRowSchema,
  moment: momentRowSchema,
  op: opRowSchema,
  unlink: unlinkRowSchema,
  now: nowRowSchema,
  settling: settlingRowSchema,
} as const;
export type RowKind = keyof typeof ROW_SCHEMAS;
export type Row<K extends RowKind> = z.infer<(typeof ROW_SCHEMAS)[K]>;

export type Change =
  | { readonly [K in RowKind]: { readonly put: K; readonly row: Row<K> } }[RowKind]
  | { readonly drop: RowKind; readonly id: string };

export const put = <K extends RowKind>(kind: K, row: Row<K>): Change => ({ put: kind, row }) as Change;
export const drop = (kind: RowKind, id: string): Change => ({ drop: kind, id });

/** Transactions that survive a crash once `commit` has returned. */
export interface TimelineStore {
  rows<K extends RowKind>(kind: K): Row<K>[];
  /** All or nothing, durable. */
  commit(changes: readonly Change[]): void;
  close(): void;
}
