// timeline.json: the rows of timeline.db again, as text, for the day the database is gone (T5). It is written
// a while after each transaction and nobody waits for it. `rescue` believes what it says of names and notes,
// never what it says of files.
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

/** Anything but a whole mirror reads as an empty one. */
export function readMirror(json: unknown): Mirror {
  const read = mirrorSchema.safeParse(json);
  return read.success ? read.data : EMPTY_MIRROR;
}
