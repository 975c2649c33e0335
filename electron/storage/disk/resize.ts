// Gives a root the size of the point it becomes (T3: "if F is larger, the root's BAT grows first"). The BAT
// lies before the first block and cannot grow there: a longer copy is written at the end of the file, and the
// header, of which one sector changes, names it. Every order below leaves a file whose footer has no more
// blocks than its BAT has entries.
//
//   grow     longer BAT at the end → sync → header: its place and length → sync → footer: the size
//   shrink   what lies behind the new end in its last block zeroed → sync → footer: the size → sync → header: the length
//
// Nobody reads an image behind the end of the point it is read for (layers.ts), so none of these steps
// changes any content.

import { UNIT_BYTES } from '../vhd/geometry.ts';
import { BAT_UNUSED } from './bat.ts';
import type { CopyPorts } from './copy.ts';
import type { Image } from './image.ts';
import { readPage, writePage } from './page.ts';
import { noSums, zeroSum } from './sums.ts';
import type { SwitchOffs } from './switch-offs.ts';

/**
 * The footer is durable with the root's next sync; both callers sync before they rely on it. Views are reset,
 * so that nobody looks for a block that a smaller root has no more. Throws disk.full, disk.io.
 */
export async function resizeRoot(
  image: Image,
  virtualBytes: number,
  { files, off }: Pick<CopyPorts, 'files' | 'off'>,
): Promise<void> {
  if (virtualBytes > image.virtualBytes) return grow(image, virtualBytes, off);
  if (virtualBytes === image.virtualBytes && image.isExact) return;
  zeroTail(image, virtualBytes);
  if (off.shrinkZeroSync !== true) await image.sync();
  image.writeSize(virtualBytes);
  // In the same tick: the next reader must not use a block whose entry the shorter BAT no longer has.
  files.resetViews();
  if (off.shrinkSizeSync !== true) await image.sync();
  image.writeHeader(null);
}

/** New space a root of this size takes (T14). */
export const resizeNeedsBytes = (image: Image, virtualBytes: number): number =>
  virtualBytes > image.virtualBytes ? Math.ceil(virtualBytes / image.blockBytes) * 4 : 0;

async function grow(image: Image, virtualBytes: number, off: SwitchOffs): Promise<void> {
  const bat = new Uint32Array(Math.ceil(virtualBytes / image.blockBytes)).fill(BAT_UNUSED);
  bat.set(image.bat);
  const { end } = image;
  let table: { readonly at: number; readonly bat: Uint32Array };
  try {
    rehome(image, bat);
    const at = image.reserveBat(bat.length);
    image.fillBat(at, bat);
    if (off.growTableSync !== true) await image.sync();
    table = { at, bat };
  } catch (cause) {
    if (image.poison === null) image.release(end);
    throw cause;
  }
  image.writeHeader(table);
  if (off.growHeaderSync !== true) await image.sync();
  image.writeSize(virtualBytes);
}

/** Moves blocks of an older Ebb that have no room for checksums in front of them: their new slots have. */
function rehome(image: Image, bat: Uint32Array): void {
  for (const block of image.allocatedBlocks()) {
    if (image.hasSums(block)) continue;
    const bytes = new Uint8Array(image.blockBytes);
    image.readData(block, 0, bytes);
    const slot = image.reserve();
    image.fillSlot(slot, 0, bytes);
    writePage(image, block, slot, { units: image.units(block), sums: noSums(image.unitsPerBlock).units });
    bat[block] = slot;
  }
}

/**
 * T4: zeros are found behind the end when the root grows again, and by readers for a larger point before it
 * has grown: they read it from the record of the edge, or of the merge into it, on.
 */
function zeroTail(image: Image, virtualBytes: number): void {
  const block = Math.floor(virtualBytes / image.blockBytes);
  const at = virtualBytes - block * image.blockBytes;
  if (at === 0 || !image.has(block)) return;
  image.writeData(block, at, new Uint8Array(image.blockBytes - at));
  const { sums, isMapLost } = readPage(image, block);
  const first = block * image.unitsPerBlock;
  const zeroed = sums.units.map((sum, unit) => (unit < at / UNIT_BYTES ? sum : zeroSum(first + unit)));
  writePage(image, block, image.bat[block] ?? BAT_UNUSED, {
    units: image.units(block),
    sums: zeroed,
    isMapLost,
  });
}
