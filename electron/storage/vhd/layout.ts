// Where everything is in a VHD that somebody else wrote, checked before anything is believed (DESIGN §8).
// Accepts what the world writes: fixed disks, a missing head or end footer, the old 511-byte footer, gaps,
// any block size, a BAT longer than needed, the "tdbatmap" extension. Reads metadata only, and the BAT's
// limit bounds memory. image.ts reads our own files.
import { SECTOR_BYTES } from '../../../shared/units.ts';
import type { BlockFile } from '../../platform/ports.ts';
import { corrupt } from './fields.ts';
import { decodeFooter, FOOTER_BYTES, type Footer } from './footer.ts';
import { VIRTUAL_BYTES_MAX } from './geometry.ts';
import { decodeForeignHeader, HEADER_BYTES } from './header.ts';
import { parentNames } from './locators.ts';

export const BAT_UNUSED = 0xffffffff;

export interface Blocks {
  readonly blockBytes: number;
  /** The bitmap lies in front of each block's data. */
  readonly bitmapBytes: number;
  /** Absolute sector of each block's bitmap, exactly as many as the disk has blocks. */
  readonly bat: Uint32Array;
}

export interface VhdLayout {
  readonly footer: Footer;
  /** Null in a fixed disk: its data starts at 0. */
  readonly blocks: Blocks | null;
  readonly parent: { readonly uuid: string; readonly names: readonly string[] } | null;
}

/** Throws Fault vhd.corrupt with field, found and expected; disk.io. */
export function readLayout(file: BlockFile): VhdLayout {
  const fileBytes = file.sizeBytes();
  const { footer, dataEnd } = findFooter(file, fileBytes);
  if (footer.currentBytes > VIRTUAL_BYTES_MAX)
    throw corrupt(file.name, 'current size', footer.currentBytes, `at most ${VIRTUAL_BYTES_MAX} (2040 GiB)`);
  if (footer.kind === 'fixed') {
    if (footer.currentBytes > dataEnd)
      throw corrupt(file.name, 'current size', footer.currentBytes, `at most the ${dataEnd} bytes of data`);
    return { footer, blocks: null, parent: null };
  }
  const { dataOffset } = footer;
  if (!(dataOffset >= 0 && dataOffset % SECTOR_BYTES === 0 && dataOffset + HEADER_BYTES <= fileBytes))
    throw corrupt(
      file.name,
      'data offset',
      dataOffset,
      `whole sectors within the file of ${fileBytes} bytes`,
    );
  const raw = new Uint8Array(HEADER_BYTES);
  file.read(raw, dataOffset);
  const header = decodeForeignHeader(raw, file.name, footer.kind === 'differencing');
  const needed = Math.ceil(footer.currentBytes / header.blockBytes);
  if (header.batEntries < needed)
    throw corrupt(file.name, 'BAT entries', header.batEntries, `at least ${needed}, one for each block`);
  const batEnd = header.batOffset + header.batEntries * 4;
  if (batEnd > dataEnd)
    throw corrupt(
      file.name,
      'BAT end',
      batEnd,
      `within the ${dataEnd} bytes before the end: it is truncated`,
    );
  const bitmapBytes = Math.ceil(header.blockBytes / SECTOR_BYTES / 8 / SECTOR_BYTES) * SECTOR_BYTES;
  const blocks = { blockBytes: header.blockBytes, bitmapBytes, bat: readBat(file, header.batOffset, needed) };
  const metadataEnd = Math.max(batEnd, dataOffset + HEADER_BYTES);
  checkPlaces(file.name, blocks, footer.currentBytes, { metadataEnd, dataEnd });
  return { footer, blocks, parent: parentOf(file, fileBytes, raw, header.parent) };
}

function parentOf(
  file: BlockFile,
  fileBytes: number,
  header: Uint8Array,
  parent: { readonly uuid: string; readonly name: string } | null,
): VhdLayout['parent'] {
  if (parent === null) return null;
  const names = parentNames(file.name, fileBytes, header, parent.name, (offset, length) => {
    const bytes = new Uint8Array(length);
    file.read(bytes, offset);
    return bytes;
  });
  return { uuid: parent.uuid, names };
}

function readBat(file: BlockFile, batOffset: number, entries: number): Uint32Array {
  const raw = Buffer.alloc(entries * 4);
  file.read(raw, batOffset);
  raw.swap32();
  return new Uint32Array(raw.buffer, raw.byteOffset, entries);
}

/** Every block must lie behind the metadata, before the end, and over no other block. */
function checkPlaces(
  name: string,
  { blockBytes, bitmapBytes, bat }: Blocks,
  virtualBytes: number,
  { metadataEnd, dataEnd }: { readonly metadataEnd: number; readonly dataEnd: number },
): void {
  const lastBytes = virtualBytes - (bat.length - 1) * blockBytes;
  const last = bat[bat.length - 1] ?? BAT_UNUSED;
  const places = bat.filter(entry => entry !== BAT_UNUSED).sort();
  let end = Math.ceil(metadataEnd / SECTOR_BYTES);
  for (const entry of places) {
    if (entry < end)
      throw corrupt(name, 'block position (sector)', entry, `≥ ${end}: blocks or metadata overlap`);
    // Some writers cut the disk's last block off where the disk ends.
    const bytes = bitmapBytes + (entry === last ? lastBytes : blockBytes);
    end = entry + Math.ceil(bytes / SECTOR_BYTES);
    if (entry * SECTOR_BYTES + bytes > dataEnd)
      throw corrupt(
        name,
        'end of a block (byte)',
        entry * SECTOR_BYTES + bytes,
        `within the ${dataEnd} bytes before the end: it is truncated`,
      );
  }
}

interface FoundFooter {
  readonly footer: Footer;
  /** Where the end footer starts, or else where the file ends. */
  readonly dataEnd: number;
}

/**
 * Takes the footer's copy at the head or the footer at the end, whichever is whole: a crash or an interrupted
 * copy may have lost one. Two whole ones that differ are refused: nobody can say which of them is the disk.
 */
function findFooter(file: BlockFile, fileBytes: number): FoundFooter {
  const { name } = file;
  if (fileBytes < FOOTER_BYTES)
    throw corrupt(name, 'file size', fileBytes, `at least ${FOOTER_BYTES}: it is truncated`);
  const head = footerAt(file, 0, FOOTER_BYTES);
  const tail = footerAt(file, fileBytes - FOOTER_BYTES, FOOTER_BYTES);
  // Virtual PC before 2004 left out the footer's last byte.
  const short = tail.cookie ? tail : footerAt(file, fileBytes - FOOTER_BYTES + 1, FOOTER_BYTES - 1);
  const end = short.cookie ? short : tail;
  const dataEnd = end.cookie ? end.offset : fileBytes;
  // A fixed disk has no copy at its head: what lies there is data, whatever it looks like.
  const copy = end.footer?.kind === 'fixed' || head.footer?.kind === 'fixed' ? null : head.footer;
  if (copy !== null && end.footer !== null) checkSame(name, copy, end.footer);
  const footer = copy ?? end.footer;
  if (footer !== null) return { footer, dataEnd };
  throw (
    (end.cookie ? end.fault : head.fault) ??
    corrupt(name, 'footer', 'neither at the start nor at the end', 'one of them')
  );
}

interface Candidate {
  readonly offset: number;
  readonly footer: Footer | null;
  readonly cookie: boolean;
  readonly fault: unknown;
}

function footerAt(file: BlockFile, offset: number, length: number): Candidate {
  const bytes = new Uint8Array(FOOTER_BYTES);
  file.read(bytes.subarray(0, length), offset);
  const cookie = Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'conectix';
  try {
    return { offset, footer: decodeFooter(bytes, file.name), cookie, fault: null };
  } catch (fault) {
    return { offset, footer: null, cookie, fault };
  }
}

function checkSame(name: string, head: Footer, end: Footer): void {
  for (const field of ['kind', 'uuid', 'currentBytes', 'dataOffset'] as const) {
    if (Object.is(head[field], end[field])) continue;
    throw corrupt(name, `end footer ${field}`, end[field], `${head[field]}, as in the copy at the start`);
  }
}
