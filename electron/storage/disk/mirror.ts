// timeline.json: the rows of timeline.db again, as text, for the day the database is gone (T5). Written a while after each
// transaction and never waited for: what it says of names and notes is believed by `rescue`, what it says of files is not.
import * as z from 'zod';
import { diskRowSchema, momentRowSchema, nowRowSchema, pointRowSchema } from './state.ts';
import type { Tree } from './tree.ts';

export const MIRROR_NAME = 'timeline.json';

const mirrorSchema = z.object({
  disks: z.array(diskRowSchema),
  points: z.array(pointRowSchema),
  moments: z.array(momentRowSchema),
  now: nowRowSchema.shape.momentId,
});
export type Mirror = z.infer<typeof mirrorSchema>;

export const EMPTY_MIRROR: Mirror = { disks: [], points: [], moments: [], now: null };

export const mirrorOf = ({ disks, points, moments, nowMoment }: Tree): Mirror => ({
  disks,
  points,
  moments,
  now: nowMoment,
});

/** Anything else than a whole mirror is none. */
export function readMirror(json: unknown): Mirror {
  const read = mirrorSchema.safeParse(json);
  return read.success ? read.data : EMPTY_MIRROR;
}
