// What a check of the checksums finds: every place that is not what was recorded, and whom it touches.
import * as z from 'zod';
import { diskIdSchema, momentIdSchema } from './ids.ts';
import { bytesSchema } from './units.ts';

/** One answer tells so many; a check of a ruined disk is many answers. */
export const DAMAGES_MAX = 100;

export const damageSchema = z.object({
  diskId: diskIdSchema,
  /** In the folder of the disk. */
  file: z.string().max(100),
  /** `data`: content; `map`: which content a block has; `file`: it cannot be opened, or read at all. */
  kind: z.enum(['data', 'map', 'file']),
  /** On the virtual disk. */
  offset: bytesSchema,
  length: bytesSchema,
  what: z.string().max(2000),
  /** Points that read something of it; every other point is untouched by it. */
  momentIds: z.array(momentIdSchema),
  touchesNow: z.boolean(),
});
export type Damage = z.infer<typeof damageSchema>;

/** Where a check goes on: a file of a disk, a block in it; null: with the next file. */
export const verifyCursorSchema = z.object({
  diskId: diskIdSchema,
  file: z.string().max(100),
  block: z.int().min(0).nullable(),
});
export type VerifyCursor = z.infer<typeof verifyCursorSchema>;

export const verifiedSchema = z.object({
  /** Null: everything was looked at. */
  cursor: verifyCursorSchema.nullable(),
  checkedBytes: bytesSchema,
  /** Read, but never summed yet: nothing can be said of it. */
  unrecordedBytes: bytesSchema,
  /** Of all frozen files, as they are now. */
  totalBytes: bytesSchema,
  damages: z.array(damageSchema).max(DAMAGES_MAX),
});
export type Verified = z.infer<typeof verifiedSchema>;

export const verifyReportSchema = z.object({
  state: z.enum(['running', 'done', 'stopped']),
  startedAt: z.number().min(0),
  checkedBytes: bytesSchema,
  unrecordedBytes: bytesSchema,
  totalBytes: bytesSchema,
  /** The first thousand; more of them say nothing new. */
  damages: z.array(damageSchema).max(1000),
  isTruncated: z.boolean(),
});
export type VerifyReport = z.infer<typeof verifyReportSchema>;
