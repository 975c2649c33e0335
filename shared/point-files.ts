// Files inside a point, as its guest's file system has them. A guest made them, so they are hostile input:
// names are bounded, and none is shown with control characters.
import * as z from 'zod';
import { bytesSchema, timeMsSchema } from './units.ts';

export const ENTRIES_MAX = 2000;
export const FILES_MAX = 100;
/** From the file system's root, parts separated by /; empty is the root itself. */
export const insidePathSchema = z
  .string()
  .max(4096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not get in
  .regex(/^(?!\/)[^\u0000-\u001f\u007f]*$/);

export const volumeSchema = z.object({
  index: z.int().min(0),
  name: z.string().max(200),
  fileSystem: z.string().max(200),
  offset: bytesSchema,
  bytes: bytesSchema,
});
export type DiskPart = z.infer<typeof volumeSchema>;

export const fileEntrySchema = z.object({
  name: z.string().max(1024),
  /** `other`: a link, a device, or an entry whose name cannot be sent back unchanged. */
  kind: z.enum(['folder', 'file', 'other']),
  bytes: bytesSchema,
  modifiedAt: timeMsSchema.nullable(),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;

export const fileListSchema = z.object({
  /** Partitions; empty where the whole disk is one file system. */
  volumes: z.array(volumeSchema),
  /** The volume that is listed; null: the whole disk. */
  volume: z.int().min(0).nullable(),
  /** Null: the volume holds no file system that can be read. */
  entries: z.array(fileEntrySchema).max(ENTRIES_MAX).nullable(),
  /** There are more than ENTRIES_MAX. */
  isTruncated: z.boolean(),
});
export type FileList = z.infer<typeof fileListSchema>;
