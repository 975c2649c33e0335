// Moves units of blocks from one image to another while the disk is used: what reversals and merges have in common.
// Only `copyWhole` and `clearBlocks` sync; for all else the caller decides when it is made durable.
import type { PointId } from '../../../shared/ids.ts';
import { Fault, invariant } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { BAT_UNUSED } from './bat.ts';
import type { DiskFiles } from './disk-files.ts';
import type { Image } from './image.ts';
import { type Page, readPage, writePage } from './page.ts';
import { unitSum, zeroSum } from './sums.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';

/** Data moved between two looks at the guest's requests: well under a millisecond of page-cache copying. */
export const CHUNK_BYTES = 256 * 1024;

/** Bytes that background work never takes: the guest may need them (T14). */
export const SPARE_BYTES = 64 * 2 ** 20;

/** T14: checked before an operation begins, and between batches. Fault disk.full. */
export function checkSpace(needs: number, free: number): void {
  if (free >= needs + SPARE_BYTES) return;
  throw new Fault({
    code: 'disk.full',
    what: `Tidying the history needs ${Math.ceil(needs / 2 ** 20)} MiB for a while; ${Math.floor(free / 2 ** 20)} MiB are free.`,
    safe: 'Nothing was changed; the VM and every point are as they were.',
    todo: 'Free some space; it goes on by itself.',
    data: { needs, free },
  });
}

export interface CopyProgress {
  phase: 'copy' | 'flip' | 'undo';
  blocksDone: number;
  blocksTotal: number;
  bytesDone: number;
  bytesTotal: number;
  batches: number;
}

export interface CopyPorts {
  readonly files: DiskFiles;
  readonly tree: Tree;
  /** Lets the guest's requests in after so many bytes were moved. Never rejects: a batch is not left half way. */
  readonly turn: (bytes: number) => Promise<void>;
  /** Between batches; false stops here, to be resumed. */
  readonly goOn: () => Promise<boolean>;
  readonly progress: (progress: CopyProgress) => void;
  readonly off: SwitchOffs;
  /** Data moved until the next barrier; asked once before each. */
  readonly nextBatchBytes: () => number;
  /** From this length on a run of units is shared where the host can (T16); a shorter one is copied sooner. */
  readonly cloneMinBytes: number;
  /** With so many bytes free on the host, the blocks of a file that goes soon are not punched before it goes. */
  readonly roomyBytes: number;
}

/** Units of a block as runs. */
export function unitRuns(units: Uint8Array): { readonly first: number; readonly count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (let unit = units.indexOf(0xff); unit >= 0; unit = units.indexOf(0xff, unit)) {
    let end = unit;
    while (end < units.length && units[end] === 0xff) end++;
    runs.push({ first: unit, count: end - unit });
    unit = end;
  }
  return runs;
}

export const unitCount = (units: Uint8Array): number =>
  units.reduce((count, unit) => count + (unit === 0 ? 0 : 1), 0);

export const union = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((unit, index) => unit | (b[index] ?? 0));

/** How many units of a block lie before this place of the disk; none or all where it lies outside. */
export const unitsBefore = ({ blockBytes, unitsPerBlock }: Image, block: number, bytes: number): number =>
  Math.min(unitsPerBlock, Math.max(0, Math.floor((bytes - block * blockBytes) / UNIT_BYTES)));

/** The units of a block from this place of the disk on. */
export function unitsFrom(image: Image, block: number, bytes: number): Uint8Array {
  return new Uint8Array(image.unitsPerBlock).fill(0xff, unitsBefore(image, block, bytes));
}

/** Fills new slots at the end of an image. If one cannot be filled (T14) all are given back: retries cost nothing. */
export async function fillSlots(
  image: Image,
  blocks: readonly number[],
  fill: (block: number, slot: number) => Promise<void>,
): Promise<Map<number, number>> {
  const slots = new Map<number, number>();
  const { end } = image;
  try {
    for (const block of blocks) {
      const slot = image.reserve();
      slots.set(block, slot);
      await fill(block, slot);
    }
    return slots;
  } catch (cause) {
    if (image.poison === null) image.release(end);
    throw cause;
  }
}

export function publish(
  { files }: CopyPorts,
  image: Image,
  slots: ReadonlyMap<number, number>,
  changed: readonly number[],
): void {
  for (const [block, entry] of slots)
    invariant(
      entry * SECTOR_BYTES + image.bitmapBytes + image.blockBytes <= image.end,
      `block ${block} at sector ${entry} is outside of ${image.file.name}`,
    );
  image.publish(slots);
  for (const block of changed) files.forgetBlock(block);
}

/** T3: resolves when everybody who looked up a place before this call has read it. */
export async function oldReadersLeft({ files, off }: CopyPorts): Promise<void> {
  if (off.readerWait !== true) await files.readers.leftOld();
}

/**
 * Removes the blocks, durably on return, and gives their space back to the host where it can take it (T3).
 * `keepFree`: so many bytes must stay free for turning back (T7); where they would not, nothing is punched and the
 * space stays with the file. `isGoing`: the file goes soon. Where the host has plenty of room its blocks are not
 * punched before: that takes longer than all the rest of a scattered batch.
 */
export async function clearBlocks(
  ports: CopyPorts,
  image: Image,
  blocks: readonly number[],
  { keepFree = 0, isGoing }: { readonly keepFree?: number; readonly isGoing: boolean },
): Promise<void> {
  const { files, off } = ports;
  const held = blocks.filter(block => image.has(block)).map(block => image.dataOffset(block));
  // T14: the disk's BAT first: where that write fails, memory is unchanged, too.
  image.changeBat(blocks, withEntries(image.bat, new Map(blocks.map(block => [block, BAT_UNUSED]))));
  for (const block of blocks) {
    image.clear(block);
    files.forgetBlock(block);
  }
  if (off.clearSync !== true) await image.sync();
  // Before the root was overwritten its readers were waited for. Readers that came since know these places too.
  if (off.punchWait !== true) await files.readers.leftOld();
  const free = files.folder.freeBytes();
  if (keepFree > 0 && free < keepFree + SPARE_BYTES) return;
  if (isGoing && free >= ports.roomyBytes) return;
  for (const offset of held) if (!(await image.punch(offset, image.blockBytes))) break;
}

export function withEntries(bat: Uint32Array, entries: ReadonlyMap<number, number>): Uint32Array {
  const next = bat.slice();
  for (const [block, entry] of entries) next[block] = entry;
  return next;
}

interface Units {
  readonly source: Image;
  readonly block: number;
  readonly units: Uint8Array;
}

/** Where units go: the slot a block has, or one that no reader knows of yet. */
interface Place {
  readonly image: Image;
  readonly entry: number;
  /** Nothing was ever written into the slot: it reads as zeros. */
  readonly isFresh: boolean;
}

/** What is recorded of moved units. Recorded sums move along, so damage is carried along and never covered up. */
export interface Moved {
  /** One per unit of the block, 0 for units that did not move. A unit without a recorded sum is summed on its way. */
  readonly sums: Uint32Array;
  /** Which units the source has is unknown (page.ts), and so is whether all that should have moved did. */
  readonly isMapLost: boolean;
}

/**
 * Run by run: a long run is shared where the host can (T16), others are copied in chunks, letting the guest in
 * between. The bytes are the same either way.
 */
export async function moveUnits(ports: CopyPorts, from: Units, to: Place): Promise<Moved> {
  const { source, block, units } = from;
  // A root keeps its own mark of a lost bitmap until the whole block is new, so a part of it takes no mark along.
  const isTold = !source.isDifferencing && units.includes(0);
  const isMapLost = !isTold && hasLostMap(ports, source, block);
  const recorded = readPage(source, block).sums.units;
  const sums = recorded.map((sum, unit) => (units[unit] === 0 ? 0 : sum));
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, units.length * UNIT_BYTES));
  for (const run of unitRuns(units)) {
    const shared = run.count * UNIT_BYTES < ports.cloneMinBytes ? null : await shareRun(ports, from, to, run);
    // A share that was refused half-way may have left anything in the range.
    const place = shared === false && ports.off.refusedShare !== true ? { ...to, isFresh: false } : to;
    await copyRun(ports, from, { sums, to: place, isShared: shared === true, chunk }, run);
  }
  return { sums, isMapLost };
}

/** True: all sums of the image were recorded, so a missing one is damage (record.ts). */
export const isRecordedIn = (tree: Tree, { uuid }: Image): boolean =>
  tree.point(uuid as PointId)?.sums === true;

/** True: it is unknown which units of this allocated block of a frozen image are here (T12). */
export function hasLostMap({ tree }: CopyPorts, image: Image, block: number): boolean {
  const { sums, isMapLost } = readPage(image, block);
  if (isMapLost) return true;
  const isMissing = sums.bitmap === 0 && image.isDifferencing && image.hasSums(block);
  return isMissing && isRecordedIn(tree, image);
}

type Run = ReturnType<typeof unitRuns>[number];

async function shareRun(
  ports: CopyPorts,
  { source, block }: Units,
  { image, entry }: Place,
  { first, count }: Run,
): Promise<boolean> {
  const length = count * UNIT_BYTES;
  const [from, to] = [source.dataOffset(block), entry * SECTOR_BYTES + image.bitmapBytes];
  const at = first * UNIT_BYTES;
  const isShared = await image.cloneFrom(source, from + at, to + at, length);
  if (isShared) await ports.turn(0);
  return isShared;
}

interface Copied {
  readonly sums: Uint32Array;
  readonly to: Place;
  readonly isShared: boolean;
  /** A buffer that nobody else uses until the block is moved. */
  readonly chunk: Uint8Array;
}

/** A shared run is in place already; it is read only for the sums it lacks. */
async function copyRun(
  ports: CopyPorts,
  { source, block }: Units,
  { sums, to, isShared, chunk }: Copied,
  { first, count }: Run,
): Promise<void> {
  const firstOfBlock = block * source.unitsPerBlock;
  const end = (first + count) * UNIT_BYTES;
  for (let at = first * UNIT_BYTES; at < end; at += CHUNK_BYTES) {
    const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, end - at));
    const firstUnit = at / UNIT_BYTES;
    if (isShared && !sums.subarray(firstUnit, firstUnit + bytes.length / UNIT_BYTES).includes(0)) continue;
    source.readData(block, at, bytes);
    addSums(sums, { bytes, firstUnit, firstOfBlock });
    if (isShared) await punchZeros(ports, to, at, bytes);
    else await writeSparse(ports, to, at, bytes);
    await ports.turn(bytes.length);
  }
}

/** Zeros (the guest zeroed or discarded them) become a hole in the target. Their bit, still set, hides older data. */
async function writeSparse(ports: CopyPorts, to: Place, at: number, bytes: Uint8Array): Promise<void> {
  for (const { from, end, isZero } of spans(bytes)) {
    const [start, length] = [at + from, end - from];
    if (
      isZero &&
      (to.isFresh || isZeroThere(to, start, length) || (await punchSpan(ports, to, start, length)))
    )
      continue;
    to.image.fillSlot(to.entry, at + from, bytes.subarray(from, end));
  }
}

async function punchZeros(ports: CopyPorts, to: Place, at: number, bytes: Uint8Array): Promise<void> {
  for (const { from, end, isZero } of spans(bytes))
    if (isZero) await punchSpan(ports, to, at + from, end - from);
}

/** The range is most often a hole already: zeros written into it would take space for nothing. */
function isZeroThere({ image, entry }: Place, at: number, length: number): boolean {
  const bytes = new Uint8Array(length);
  image.file.read(bytes, entry * SECTOR_BYTES + image.bitmapBytes + at);
  return spans(bytes).every(({ isZero }) => isZero);
}

function punchSpan(ports: CopyPorts, { image, entry }: Place, at: number, length: number): Promise<boolean> {
  if (length < ports.cloneMinBytes) return Promise.resolve(false);
  return image.punch(entry * SECTOR_BYTES + image.bitmapBytes + at, length);
}

const ZERO_UNIT = Buffer.alloc(UNIT_BYTES);

/** Splits whole units into runs of zeros and of others, compared byte by byte, never by their sums. */
export function spans(
  bytes: Uint8Array,
): { readonly from: number; readonly end: number; readonly isZero: boolean }[] {
  const found: { from: number; end: number; isZero: boolean }[] = [];
  for (let from = 0; from < bytes.length; from += UNIT_BYTES) {
    const end = from + UNIT_BYTES;
    const isZero = ZERO_UNIT.equals(bytes.subarray(from, end));
    const last = found.at(-1);
    if (last?.isZero === isZero) last.end = end;
    else found.push({ from, end, isZero });
  }
  return found;
}

/** Sums the units of `bytes` that have none yet. */
export function addSums(
  sums: Uint32Array,
  {
    bytes,
    firstUnit,
    firstOfBlock,
  }: { readonly bytes: Uint8Array; readonly firstUnit: number; readonly firstOfBlock: number },
): void {
  for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
    const unit = firstUnit + at / UNIT_BYTES;
    if (sums[unit] === 0) sums[unit] = unitSum(bytes.subarray(at, at + UNIT_BYTES), firstOfBlock + unit);
  }
}

/** A unit of the block that has no sum came from nobody: it is zeros, and gets the sum of zeros. */
export function withZeros(sums: Uint32Array, block: number, units: Uint8Array): Uint32Array {
  return sums.map((sum, unit) =>
    sum !== 0 || units[unit] === 0 ? sum : zeroSum(block * sums.length + unit),
  );
}

/** T12: an allocated block of a root has all its units, whatever was read of its bitmap. */
const hereIn = (target: Image, units: Uint8Array): Uint8Array =>
  target.isDifferencing ? units : new Uint8Array(target.unitsPerBlock).fill(0xff);

/** Overwrites units that the target has, and their sums in the block's page. */
export async function overwriteUnits(ports: CopyPorts, target: Image, from: Units): Promise<void> {
  const { block, units } = from;
  const moved = await moveUnits(ports, from, {
    image: target,
    entry: target.bat[block] ?? 0,
    isFresh: false,
  });
  const page = readPage(target, block);
  // What the bitmap was does not matter once the whole block is new.
  const isMapLost = page.isMapLost && units.includes(0);
  writePage(target, block, target.bat[block] ?? 0, {
    units: hereIn(target, page.units),
    ...withMoved({ ...page, isMapLost }, units, moved),
  });
}

/** What a block's page records after these units were moved into the block. */
export const withMoved = ({ sums, isMapLost }: Page, units: Uint8Array, moved: Moved): Moved => ({
  sums: sums.units.map((sum, unit) => (units[unit] === 0 ? sum : (moved.sums[unit] ?? 0))),
  isMapLost: isMapLost || moved.isMapLost,
});

/** Fills a slot of the target that no reader knows of: the units, and the block's page. */
export async function fillWhole(ports: CopyPorts, target: Image, slot: number, from: Units): Promise<void> {
  const { block, units } = from;
  const { sums, isMapLost } = await moveUnits(ports, from, { image: target, entry: slot, isFresh: true });
  const here = hereIn(target, units);
  writePage(target, block, slot, { units: here, sums: withZeros(sums, block, here), isMapLost });
}

/**
 * Makes the target answer for these units too, with what `source` holds. They are whole and durable before BAT
 * entries name them: data + bitmaps → sync → BAT → sync.
 */
export async function copyWhole(
  ports: CopyPorts,
  {
    target,
    source,
    unitsOf,
  }: {
    readonly target: Image;
    readonly source: Image;
    readonly unitsOf: (block: number) => Uint8Array;
  },
  blocks: readonly number[],
  isOff: { readonly dataSync: boolean; readonly batSync: boolean },
): Promise<void> {
  const slots = await fillSlots(target, blocks, async (block, slot) => {
    const units = unitsOf(block);
    // A block that the source does not have is zeros, and so is a fresh slot.
    const { sums, isMapLost } = source.has(block)
      ? await moveUnits(ports, { source, block, units }, { image: target, entry: slot, isFresh: true })
      : { sums: new Uint32Array(target.unitsPerBlock), isMapLost: false };
    writePage(target, block, slot, { units, sums: withZeros(sums, block, units), isMapLost });
  });
  // Also without a slot: a predecessor of the same boot may have left the target's entries in the page cache (T11).
  if (!isOff.dataSync) await target.sync();
  target.changeBat(slots.keys(), withEntries(target.bat, slots));
  if (!isOff.batSync) await target.sync();
  publish(ports, target, slots, blocks);
}
