// Groups of error codes for the rows of both contracts: calls that ask for the same are refused with the same.
import type { ErrorCode } from '../errors.ts';

/** A call that writes a row of a database or a small file, or makes a folder. */
export const WRITING = ['disk.full', 'disk.io', 'host.permission'] as const satisfies readonly ErrorCode[];

/** A call about a VM's disks: storage may have to open them for it, and to serve them again to whom it served. */
export const OPENING = [
  'storage.unavailable',
  'disk.owned-elsewhere',
  'timeline.missing',
  'vhd.corrupt',
  'vhd.unsupported',
  'vhd.parent-missing',
  'vhd.parent-mismatch',
  ...WRITING,
  'disk.poisoned',
  'limit.reached',
] as const satisfies readonly ErrorCode[];

/** A call that closes a VM's disks, and their servers. */
export const CLOSING = [...WRITING, 'disk.poisoned', 'limit.reached'] as const satisfies readonly ErrorCode[];
