// The head of an image of ours: footer copy and header, read and checked before anything is believed.

import { Fault } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import type { BlockFile } from '../../platform/ports.ts';
import { corrupt, unsupported } from '../vhd/fields.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES } from '../vhd/footer.ts';
import { decodeHeader, HEADER_BYTES, LOCATOR_SPACE } from '../vhd/header.ts';

/** Where the BAT begins, in an image that was never resized. */
export const BAT_AT = FOOTER_BYTES + HEADER_BYTES;

export interface ImageIdentity {
  readonly uuid: string;
  readonly virtualBytes: number;
  readonly blockBytes: number;
  readonly parent: { readonly uuid: string; readonly name: string } | null;
  readonly timestampMs: number;
  readonly isLeaf: boolean;
}

type Shape = Pick<ImageIdentity, 'virtualBytes' | 'blockBytes'>;

export const alignUp = (value: number, step: number): number => Math.ceil(value / step) * step;

export const blocksOf = ({ virtualBytes, blockBytes }: Shape): number => Math.ceil(virtualBytes / blockBytes);

/** How long the file of an image without blocks is. */
export const emptyImageBytes = (shape: Shape): number =>
  BAT_AT + alignUp(blocksOf(shape) * 4, SECTOR_BYTES) + 2 * LOCATOR_SPACE + FOOTER_BYTES;

export interface ImageHead {
  readonly identity: ImageIdentity;
  readonly batOffset: number;
  readonly batEntries: number;
}

/** Throws vhd.corrupt, vhd.unsupported or disk.io. `uuid` is the one that the file's name promises (T1). */
export function readHead(file: BlockFile, uuid: string | null): ImageHead {
  const fileBytes = file.sizeBytes();
  if (fileBytes < BAT_AT)
    throw corrupt(file.name, 'file size', fileBytes, `at least ${BAT_AT}: it is truncated`);
  const head = new Uint8Array(BAT_AT);
  file.read(head, 0);
  const footer = decodeFooter(head.subarray(0, FOOTER_BYTES), file.name);
  if (footer.kind === 'fixed')
    throw unsupported(file.name, 'a fixed disk; only dynamic and differencing ones have a tree');
  if (footer.dataOffset !== FOOTER_BYTES)
    throw corrupt(file.name, 'data offset', footer.dataOffset, FOOTER_BYTES);
  const isDifferencing = footer.kind === 'differencing';
  const { blockBytes, batOffset, batEntries, parent } = decodeHeader(
    head.subarray(FOOTER_BYTES),
    file.name,
    isDifferencing,
  );
  if (uuid !== null && footer.uuid !== uuid) throw corrupt(file.name, 'UUID', footer.uuid, uuid);
  const blocks = Math.ceil(footer.currentBytes / blockBytes);
  // The BAT must fit the disk before memory is given to it (T12): a huge one would be a bomb. A crash during
  // a resize can leave a root with entries to spare (resize.ts), but never a differencing image.
  if (batEntries < blocks || (isDifferencing && batEntries !== blocks))
    throw corrupt(file.name, 'BAT entries', batEntries, blocks);
  const { currentBytes: virtualBytes, timestampMs, isLeaf } = footer;
  const identity = { uuid: footer.uuid, virtualBytes, blockBytes, parent, timestampMs, isLeaf };
  return { identity, batOffset, batEntries };
}

/** T12: a file that ends with a footer was closed or quiesced, and nothing was written behind it since. */
export function endsWithFooter(file: BlockFile): boolean {
  const cookie = new Uint8Array(8);
  file.read(cookie, file.sizeBytes() - FOOTER_BYTES);
  return Buffer.from(cookie).toString('latin1') === 'conectix';
}

/** A BAT entry is a sector number of 32 bits, and all ones means none. Fault disk.full. */
export function requireInReach(end: number, name: string): void {
  if (end <= 0xffff_ffff * SECTOR_BYTES) return;
  throw new Fault({
    code: 'disk.full',
    what: `${name} would end at byte ${end}; a VHD names no block behind 2 TiB.`,
    safe: 'Nothing was changed.',
    todo: 'Compact the disk: what was moved back and forth has left room in it.',
  });
}

export const stillFull = (name: string): Fault =>
  new Fault({
    code: 'disk.full',
    what: `The host has no room to write the maps of ${name} again.`,
    safe: 'Everything acknowledged is on the disk.',
    todo: 'Make room on the host; it goes on by itself.',
  });

export const poisoned = (why: string): Fault =>
  new Fault({
    code: 'disk.poisoned',
    what: `${why}; this disk is not written any more.`,
    safe: 'Everything acknowledged before that is on the disk; other disks are not affected.',
    todo: 'Check the host disk, then stop and start the VM.',
  });

/** The footer, head and end alike, of an image of ours. */
export const footerOf = ({
  isDifferencing,
  virtualBytes,
  ...rest
}: {
  readonly uuid: string;
  readonly isDifferencing: boolean;
  readonly virtualBytes: number;
  readonly timestampMs: number;
  readonly isLeaf: boolean;
}): Uint8Array =>
  encodeFooter({
    ...rest,
    kind: isDifferencing ? 'differencing' : 'dynamic',
    currentBytes: virtualBytes,
    originalBytes: virtualBytes,
    dataOffset: FOOTER_BYTES,
  });
