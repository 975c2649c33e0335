// The page in front of a block's data: its checksums (sums.ts) and, behind them, its bitmap.
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { LOCATOR_SPACE } from '../vhd/header.ts';
import type { Image } from './image.ts';
import { alignUp, BAT_AT } from './image-head.ts';
import { bitmapSum, decodeSums, encodeSums, noSums, type Sums, wrongSum } from './sums.ts';

export interface Page {
  readonly units: Uint8Array;
  readonly sums: Sums;
  /** The bitmap is not the recorded one: which units are here is unknown. In a root all are (T12). */
  readonly isMapLost: boolean;
}

/** Bytes for sums in front of a slot: 0 where an older Ebb put the slot right behind the metadata. */
export function sumsRoom({ blockCount, table, sumsBytes }: Image, entry: number): number {
  const batBytes = alignUp(blockCount * 4, SECTOR_BYTES);
  // Where the BAT was moved away, blocks without room were moved, too (resize.ts).
  const metadataEnd = table.from === BAT_AT ? BAT_AT + batBytes + 2 * LOCATOR_SPACE : BAT_AT;
  return entry * SECTOR_BYTES - sumsBytes >= metadataEnd ? sumsBytes : 0;
}

/** Reads an allocated block's bitmap and what was recorded of it, from the disk. */
export function readPage(image: Image, block: number, entry: number = image.bat[block] ?? 0): Page {
  const { unitsPerBlock, bitmapBytes, file } = image;
  const room = sumsRoom(image, entry);
  const page = new Uint8Array(room + bitmapBytes);
  file.read(page, entry * SECTOR_BYTES - room);
  const units = page.slice(room, room + unitsPerBlock);
  const sums = room === 0 ? noSums(unitsPerBlock) : decodeSums(page, unitsPerBlock);
  const isOther = sums.bitmap !== 0 && sums.bitmap !== bitmapSum(units, block);
  return { units, sums, isMapLost: isOther && !isPartial(image, units) };
}

interface Written {
  readonly units: Uint8Array;
  /**
   * One per unit, 0 where unknown. Null: none is recorded, as in the leaf, where data is written in place and
   * must not leave an old sum behind.
   */
  readonly sums: Uint32Array | null;
  /** True: the bitmap gets a sum that no such bitmap has, so that the loss stays known. */
  readonly isMapLost?: boolean;
}

/** T12: an allocated block of a root has all its units; a bitmap that denies it is damaged, no more. */
export const isPartial = ({ isDifferencing }: Image, units: Uint8Array): boolean =>
  !isDifferencing && units.some(unit => unit !== 0xff);

/** True: the page has no sums at all. Where sums were recorded, it has lost them. */
export const isBlank = ({ bitmap, units }: Sums): boolean => bitmap === 0 && units.every(sum => sum === 0);

/** Writes a block's bitmap and checksums. Readers need not know its slot yet. */
export function writePage(
  image: Image,
  block: number,
  entry: number,
  { units, sums, isMapLost }: Written,
): void {
  const page = new Uint8Array(image.sumsBytes + image.bitmapBytes);
  page.set(units, image.sumsBytes);
  if (sums !== null) encodeSums({ bitmap: mapSum(units, block, isMapLost === true), units: sums }, page);
  const room = sumsRoom(image, entry);
  image.fillSlot(entry, -image.bitmapBytes - room, page.subarray(image.sumsBytes - room));
}

/** Writes the checksums of an allocated block, where it has room for them; the bitmap stays. */
export function writeSums(image: Image, block: number, sums: Sums): void {
  if (!image.hasSums(block)) return;
  const bytes = new Uint8Array(image.sumsBytes);
  encodeSums(sums, bytes);
  image.writeData(block, -image.bitmapBytes - image.sumsBytes, bytes);
}

/** Writes the bitmap of an allocated block, on disk only; the sums stay. */
export function writeUnits(image: Image, block: number, units: Uint8Array): void {
  const bytes = new Uint8Array(image.bitmapBytes);
  bytes.set(units);
  image.writeData(block, -image.bitmapBytes, bytes);
}

export function mapSum(units: Uint8Array, block: number, isMapLost: boolean): number {
  const sum = bitmapSum(units, block);
  return isMapLost ? wrongSum(sum) : sum;
}
