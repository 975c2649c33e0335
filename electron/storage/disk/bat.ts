// The BAT of an image of ours: read, checked before anything is believed, written by whole sectors. Pure.
import { BugError } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import type { BlockFile } from '../../platform/ports.ts';
import { corrupt, viewOf } from '../vhd/fields.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';

export const BAT_UNUSED = 0xffffffff;
/** Footer copy and header. */
const HEAD_SECTORS = 3;
const ENTRIES_PER_SECTOR = SECTOR_BYTES / 4;

/** Reads and checks the file's BAT. Answers the byte after blocks and BAT. Throws vhd.corrupt, disk.io. */
export function readBat(file: BlockFile, bat: Uint32Array, places: Places): number {
  const { batStart, batEnd, fileBytes } = places;
  if (batEnd > fileBytes)
    throw corrupt(file.name, 'BAT end', batEnd, `within the file of ${fileBytes} bytes: it is truncated`);
  const raw = new Uint8Array(bat.length * 4);
  file.read(raw, batStart);
  decodeBat(raw, bat);
  return endOfBlocks(file.name, bat, places);
}

/** Fills `bat`, which has one entry per block of the disk. */
function decodeBat(raw: Uint8Array, bat: Uint32Array): void {
  const view = viewOf(raw);
  for (let block = 0; block < bat.length; block++) bat[block] = view.getUint32(block * 4);
}

export interface Places {
  readonly batStart: number;
  readonly batEnd: number;
  readonly fileBytes: number;
  /** From one block to the next at least: bitmap and data. */
  readonly pitchBytes: number;
  readonly bitmapBytes: number;
}

/**
 * The byte after the last block and after the BAT. Throws vhd.corrupt where blocks overlap, are cut off, or
 * lie where no block of ours can: a single wrong bit often puts one there (T12).
 */
function endOfBlocks(
  file: string,
  bat: Uint32Array,
  { batStart, batEnd, fileBytes, pitchBytes, bitmapBytes }: Places,
): number {
  const used = bat.filter(entry => entry !== BAT_UNUSED).sort();
  const [batFrom, batTo] = [batStart / SECTOR_BYTES, Math.ceil(batEnd / SECTOR_BYTES)];
  const pitch = pitchBytes / SECTOR_BYTES;
  let end = HEAD_SECTORS;
  for (const entry of used) {
    const least = entry < batTo && entry + pitch > batFrom ? batTo : end;
    if (entry < least)
      throw corrupt(file, 'block position (sector)', entry, `≥ ${least}: blocks or metadata overlap`);
    if ((entry * SECTOR_BYTES + bitmapBytes) % UNIT_BYTES !== 0)
      throw corrupt(file, 'block position (sector)', entry, 'one with its data on a 4 KiB boundary');
    end = entry + pitch;
  }
  // reserve() grows the file before any map names the slot, so a file that ends before its slot was cut off.
  if (used.length > 0 && end * SECTOR_BYTES > fileBytes)
    throw corrupt(
      file,
      'end of the last block (byte)',
      end * SECTOR_BYTES,
      `within the file of ${fileBytes} bytes: it is truncated`,
    );
  return Math.max(end, batTo) * SECTOR_BYTES;
}

/** The BAT sectors that hold these blocks' entries: their offset in the BAT in bytes, and their content. */
export function* batSectors(
  blocks: Iterable<number>,
  bat: Uint32Array,
): Generator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const all = [...blocks];
  const stray = all.find(block => block >= bat.length);
  // What lies behind the BAT's last entry is other data, which this write would overwrite.
  if (stray !== undefined) throw new BugError(`block ${stray} in a BAT of ${bat.length} entries`);
  const sectors = new Set(all.map(block => Math.floor(block / ENTRIES_PER_SECTOR)));
  for (const sector of sectors) {
    const bytes = new Uint8Array(SECTOR_BYTES).fill(0xff);
    const view = viewOf(bytes);
    const first = sector * ENTRIES_PER_SECTOR;
    const count = Math.min(ENTRIES_PER_SECTOR, bat.length - first);
    for (let index = 0; index < count; index++) view.setUint32(index * 4, bat[first + index] ?? BAT_UNUSED);
    yield { at: sector * SECTOR_BYTES, bytes };
  }
}
