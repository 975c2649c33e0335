// The only unit conversions in the program. Memory is KiB in code (DESIGN §0), disks are bytes; both are
// integers below 2^53. Sectors are 512 bytes.
import * as z from 'zod';

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const SECTOR_BYTES = 512;
/** Bytes of each unit, by the letter people write. */
export const UNIT_BYTES: Readonly<Record<string, number>> = { K: KIB, M: MIB, G: GIB, T: 1024 * GIB };
/** KiB in one MiB and one GiB. */
export const MIB_KIB = 1024;
export const GIB_KIB = 1024 * 1024;

/** An amount of memory in KiB: integer, 0 … 2^53 − 1. */
export const kibSchema = z.int().min(0);
/** A size or an amount of disk in bytes: integer, 0 … 2^53 − 1. */
export const bytesSchema = z.int().min(0);
/** Milliseconds since the Unix epoch. */
export const timeMsSchema = z.int().min(0);

export const kibToBytes = (kib: number): number => kib * KIB;
/** Rounds down: a target or a size never grows by conversion. */
export const bytesToKib = (bytes: number): number => Math.floor(bytes / KIB);

/** Rounds down to whole MiB, the unit in which a balloon is asked. */
export const floorMib = (kib: number): number => Math.floor(kib / MIB_KIB) * MIB_KIB;
/** Rounds up to whole MiB, for what must hold at least `kib`. */
export const ceilMib = (kib: number): number => Math.ceil(kib / MIB_KIB) * MIB_KIB;

/** An amount of memory in the words of the services' sentences: "512 MiB", "1.5 GiB", "28 KiB". */
export function amountText(kib: number): string {
  const mib = kib / MIB_KIB;
  if (kib > 0 && mib < 1) return `${Math.max(1, Math.round(kib))} KiB`;
  return mib < 1000 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}
/** A size in bytes, in the same words. */
export const bytesText = (bytes: number): string => amountText(bytes / KIB);
