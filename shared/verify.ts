// What a check of the checksums finds: places that differ from the record, and the moments that read them.
import * as z from 'zod';
import { diskIdSchema, momentIdSchema } from './ids.ts';
import { bytesSchema } from './units.ts';

/** Damages in one answer: checking a ruined disk takes many answers. */
export const DAMAGES_MAX = 100;

export const damageSchema = z.object({
  diskId: diskIdSchema,
  /** The file's name in the folder of the disk. */
  file: z.string().max(100),
  /** `data`: content; `map`: the record of where content is; `file`: it cannot be opened, or read at all. */
  kind: z.enum(['data', 'map', 'file']),
  /** Place on the virtual disk. */
  offset: bytesSchema,
  length: bytesSchema,
  what: z.string().max(2000),
  /** Moments that read some of the damaged place; every other moment is untouched by it. */
  momentIds: z.array(momentIdSchema),
  touchesNow: z.boolean(),
});
export type Damage = z.infer<typeof damageSchema>;

/** Where a check goes on: in `file` at `block`; `block` null: with the file after it. */
export const verifyCursorSchema = z.object({
  diskId: diskIdSchema,
  file: z.string().max(100),
  block: z.int().min(0).nullable(),
});
export type VerifyCursor = z.infer<typeof verifyCursorSchema>;

export const verifiedSchema = z.object({
  /** Where the next call goes on; null: everything has been checked. */
  cursor: verifyCursorSchema.nullable(),
  checkedBytes: bytesSchema,
  /** Bytes that were read but have no checksum yet: nothing can be said about them. */
  unrecordedBytes: bytesSchema,
  /** The size of all frozen files, as they are now. */
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
