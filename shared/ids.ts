// Identities. Every id is a lower-case UUID; the brand keeps one kind from standing in for another.
import * as z from 'zod';

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'a lower-case UUID');

export const vmIdSchema = uuid.brand<'VmId'>();
export const diskIdSchema = uuid.brand<'DiskId'>();
/** T1: a point's UUID is the UUID in its VHD footer and the name of its file. */
export const pointIdSchema = uuid.brand<'PointId'>();
export const momentIdSchema = uuid.brand<'MomentId'>();
export const taskIdSchema = uuid.brand<'TaskId'>();
/** Good for fetching one file, once, by a browser. */
export const downloadTicketSchema = uuid.brand<'DownloadTicket'>();
/** A file the person chose (dialog, upload or CLI); clients never name paths (DESIGN §8). */
export const fileTokenSchema = uuid.brand<'FileToken'>();
export const leaseIdSchema = uuid.brand<'LeaseId'>();

export type VmId = z.infer<typeof vmIdSchema>;
export type DiskId = z.infer<typeof diskIdSchema>;
export type PointId = z.infer<typeof pointIdSchema>;
export type MomentId = z.infer<typeof momentIdSchema>;
export type TaskId = z.infer<typeof taskIdSchema>;
export type DownloadTicket = z.infer<typeof downloadTicketSchema>;
export type FileToken = z.infer<typeof fileTokenSchema>;
export type LeaseId = z.infer<typeof leaseIdSchema>;
