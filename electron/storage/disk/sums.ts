// Checksums of a block, kept in the page in front of its data, in the gap other readers skip (T12):
//
//   … data of another block │ room for the end footer │ sums │ bitmap │ data, 4 KiB-aligned …
//   sums, big-endian words: of the bitmap, then one per 4 KiB unit; 0 = not recorded
//
// CRC-32, seeded with the place on the virtual disk: the sum of a unit moves with it from image to image, and
// a unit that strayed to another place is found. Nothing is ever summed again after it moved, so damage is
// never covered up. Pure.
import { crc32 } from 'node:zlib';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { viewOf } from '../vhd/fields.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';

const ZERO_UNIT = new Uint8Array(UNIT_BYTES);
/** Seeds the sum of a bitmap; the sum of a unit is seeded with the unit's number. */
const BITMAP_SEED = 0x80000000;

/** Length of the sums of one block on disk, in whole sectors. */
export const sumsBytes = (unitsPerBlock: number): number =>
  Math.ceil(((unitsPerBlock + 1) * 4) / SECTOR_BYTES) * SECTOR_BYTES;

const nonZero = (sum: number): number => (sum === 0 ? 1 : sum);

/** The sum of one unit; `unit` counts from the start of the disk. Never 0. */
export const unitSum = (bytes: Uint8Array, unit: number): number => nonZero(crc32(bytes, unit));
export const zeroSum = (unit: number): number => unitSum(ZERO_UNIT, unit);
export const bitmapSum = (units: Uint8Array, block: number): number =>
  nonZero(crc32(units, (BITMAP_SEED + block) >>> 0));

/** A sum that the bitmap does not have: it marks the block's units as unknown, and moves along. */
export const wrongSum = (sum: number): number => nonZero(~sum >>> 0);

/** What a block's sums say, as read from its page. */
export interface Sums {
  /** 0: nothing recorded. */
  readonly bitmap: number;
  /** One per unit; 0 where none is recorded. */
  readonly units: Uint32Array;
}

export const noSums = (unitsPerBlock: number): Sums => ({ bitmap: 0, units: new Uint32Array(unitsPerBlock) });

export function decodeSums(page: Uint8Array, unitsPerBlock: number): Sums {
  const view = viewOf(page);
  const units = new Uint32Array(unitsPerBlock);
  for (let unit = 0; unit < unitsPerBlock; unit++) units[unit] = view.getUint32((unit + 1) * 4);
  return { bitmap: view.getUint32(0), units };
}

/** Writes the sums to the start of `page`. */
export function encodeSums({ bitmap, units }: Sums, page: Uint8Array): void {
  const view = viewOf(page);
  view.setUint32(0, bitmap);
  for (const [unit, sum] of units.entries()) view.setUint32((unit + 1) * 4, sum);
}

/** Whether the bitmap and all units set in it have a sum. */
export const isRecorded = (sums: Sums, units: Uint8Array): boolean =>
  sums.bitmap !== 0 && units.every((here, unit) => here === 0 || sums.units[unit] !== 0);
