// Gives back what frozen images hold for nothing, while the disk is used: blocks of a root that are all
// zeros, zeros inside blocks, and room between blocks that no BAT entry names. Where the host can punch, this
// is done in place; elsewhere the last blocks move into that room and the file ends earlier. No content
// changes at any instant, so any state a crash leaves is right, and the next run finds what is left to do.
//
//   zero blocks   BAT entries cleared → sync → readers left → punched
//   the room      sync → readers left: no map names it, in memory or on the disk → punched, or
//   no punching   page and data into it → sync → BAT entries → sync → readers left
//   the end       end footer behind the last block → file cut there → sync
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { BAT_UNUSED } from './bat.ts';
import { batches } from './batches.ts';
import {
  CHUNK_BYTES,
  type CopyPorts,
  checkSpace,
  clearBlocks,
  hasLostMap,
  moveUnits,
  oldReadersLeft,
  publish,
  spans,
  unitRuns,
  withEntries,
} from './copy.ts';
import { fileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { alignUp, BAT_AT } from './image-head.ts';
import { readPage, sumsRoom, writePage } from './page.ts';
import { type CompactOp, drop, put } from './state.ts';
import { zeroSum } from './sums.ts';
import type { Tree } from './tree.ts';

/**
 * Told the share of an image that is done: looking for zeros is the first half, filling the room the second.
 */
type Told = (share: number) => void;

export const newCompact = (diskId: DiskId): CompactOp => ({
  kind: 'compact',
  id: `compact-${diskId}`,
  diskId,
  done: null,
  freedBytes: 0,
  isPaused: false,
});

/**
 * Image by image, in the order of their ids, until none is left, `goOn` stops it or the record is changed by
 * somebody else. Answers how many bytes of the host's disk it freed once all is done. Before that 0: the
 * record keeps the count.
 */
export async function runCompact(ports: CopyPorts, op: CompactOp): Promise<number> {
  const { files, tree } = ports;
  let known = op;
  // Asked again, paused or told to stop meanwhile, the record has been replaced or dropped: this run must not
  // overwrite that.
  const isAsked = (): boolean => tree.compactOf(op.diskId) === known;
  const own = { ...ports, goOn: async () => (await ports.goOn()) && isAsked() };
  const left = tree.points
    .filter(({ id, diskId }) => diskId === op.diskId && id > (op.done ?? ''))
    .map(({ id }) => id)
    .sort();
  const sizes = new Map(left.map(id => [id, files.allocatedBytes(fileName(id))]));
  const bytesTotal = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  let bytesBefore = 0;
  for (const [id, bytes] of sizes) {
    if (tree.point(id) === undefined) continue;
    const told: Told = share =>
      ports.progress({
        phase: 'copy',
        blocksDone: 0,
        blocksTotal: 0,
        bytesDone: bytesBefore + Math.round(share * bytes),
        bytesTotal,
        batches: 0,
      });
    const isDone = await whileHeld(tree, id, () => compactImage(own, files.image(fileName(id), id), told));
    const now = tree.compactOf(op.diskId);
    if (now === undefined || (now !== known && !now.isPaused)) return 0;
    const freed = Math.max(0, bytes - files.allocatedBytes(fileName(id)));
    known = { ...now, done: isDone ? id : now.done, freedBytes: now.freedBytes + freed };
    tree.commit([put('op', known)]);
    if (!isDone || known.isPaused) return 0;
    bytesBefore += bytes;
  }
  tree.commit([drop('op', op.id)]);
  return known.freedBytes;
}

/** The last blocks of a file that ends behind this byte move into its room, even where the host can punch. */
const FAR_BYTES = 2 ** 40;

/** Keeps the point's file open meanwhile, also if somebody deletes the point. */
async function whileHeld<T>(tree: Tree, id: PointId, work: () => Promise<T>): Promise<T> {
  tree.held.add(id);
  try {
    return await work();
  } finally {
    tree.held.delete(id);
  }
}

async function compactImage(ports: CopyPorts, image: Image, told: Told): Promise<boolean> {
  const blocks = image.allocatedBlocks().map(block => ({ block, bytes: image.blockBytes }));
  let done = 0;
  for (const batch of batches(blocks, ports.nextBatchBytes)) {
    await emptyZeros(ports, image, batch.blocks);
    done += batch.blocks.length;
    told(done / blocks.length / 2);
    if (!(await ports.goOn())) return false;
  }
  const isFreed = await freeRoom(ports, image);
  if (isFreed === false) return false;
  // Punching makes no file shorter, and no BAT entry reaches behind 2 TiB.
  if ((isFreed === null || image.end > FAR_BYTES) && !(await fillRoom(ports, image, told, isFreed === true)))
    return false;
  await endEarlier(ports, image);
  return true;
}

/** Blocks of a root that are all zeros go; in other blocks zeros become holes. */
async function emptyZeros(ports: CopyPorts, image: Image, blocks: readonly number[]): Promise<void> {
  const gone: number[] = [];
  for (const block of blocks) {
    const zeros = await zeroUnits(ports, image, block);
    // T12: a block stays where nobody knows whether these zeros are all it had, so that the damage is still
    // told.
    if (!image.isDifferencing && !zeros.includes(0) && !hasLostMap(ports, image, block)) gone.push(block);
    else await punchRuns(ports, image, block, zeros);
  }
  if (gone.length > 0) await clearBlocks(ports, image, gone, { isGoing: false });
}

/** The units of an allocated block that are zeros: chosen by checksums, then compared byte by byte. */
async function zeroUnits(ports: CopyPorts, image: Image, block: number): Promise<Uint8Array> {
  const { sums } = readPage(image, block);
  const first = block * image.unitsPerBlock;
  const units = image
    .units(block)
    .map((here, unit) => (here !== 0 && sums.units[unit] === zeroSum(first + unit) ? 0xff : 0));
  for (const run of unitRuns(units)) {
    const end = (run.first + run.count) * UNIT_BYTES;
    for (let at = run.first * UNIT_BYTES; at < end; at += CHUNK_BYTES) {
      const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, end - at));
      image.readData(block, at, bytes);
      for (const { from, end: to, isZero } of spans(bytes))
        if (!isZero) units.fill(0, (at + from) / UNIT_BYTES, (at + to) / UNIT_BYTES);
      await ports.turn(bytes.length);
    }
  }
  return units;
}

async function punchRuns(ports: CopyPorts, image: Image, block: number, zeros: Uint8Array): Promise<void> {
  for (const { first, count } of unitRuns(zeros)) {
    if (!(await image.punch(image.dataOffset(block) + first * UNIT_BYTES, count * UNIT_BYTES))) return;
    await ports.turn(0);
  }
}

interface Room {
  readonly from: number;
  readonly end: number;
}

/** The ranges of its file that the image needs, in no order: metadata, and each block with its page. */
function* places(image: Image): Generator<Room> {
  yield { from: 0, end: BAT_AT };
  yield image.table;
  for (const block of image.allocatedBlocks()) {
    const [at, room] = [image.dataOffset(block), sumsRoom(image, image.bat[block] ?? 0)];
    yield { from: at - image.bitmapBytes - room, end: at + image.blockBytes };
  }
}

/** The first slot that fits at or behind `from`: its BAT entry, and where the slot ends. */
function slotIn(image: Image, from: number): { readonly entry: number; readonly end: number } {
  const dataOffset = alignUp(from + image.sumsBytes + image.bitmapBytes, UNIT_BYTES);
  return { entry: (dataOffset - image.bitmapBytes) / SECTOR_BYTES, end: dataOffset + image.blockBytes };
}

/** The gaps between what metadata and BAT name, before the last block's end. */
function roomIn(image: Image): Room[] {
  const used = [...places(image)].sort((a, b) => a.from - b.from);
  const room: Room[] = [];
  let end = 0;
  for (const place of used) {
    if (place.from > end) room.push({ from: end, end: place.from });
    end = Math.max(end, place.end);
  }
  return room;
}

/**
 * Punches what no map names, in memory or on the disk. False: stopped by `goOn`; null: the host cannot punch.
 */
export async function freeRoom(ports: CopyPorts, image: Image): Promise<boolean | null> {
  // T11: a predecessor of the same boot may have left maps in the page cache that the disk knows nothing of
  // yet.
  if (ports.off.compactRoomSync !== true) await image.sync();
  await oldReadersLeft(ports);
  for (const { from, end } of roomIn(image)) {
    const [first, last] = [alignUp(from, UNIT_BYTES), Math.floor(end / UNIT_BYTES) * UNIT_BYTES];
    if (last <= first) continue;
    if (!(await image.punch(first, last - first))) return null;
    if (!(await ports.goOn())) return false;
  }
  return true;
}

/**
 * Moves the last blocks into the room before them, batch by batch, as many as fit. False: stopped by `goOn`.
 */
async function fillRoom(ports: CopyPorts, image: Image, told: Told, isPunched: boolean): Promise<boolean> {
  const moves = forwards(image);
  const all = [...moves.keys()].map(block => ({ block, bytes: image.blockBytes }));
  let done = 0;
  for (const { blocks } of batches(all, ports.nextBatchBytes)) {
    const slots = new Map(blocks.map(block => [block, moves.get(block) ?? 0]));
    // T14: room that was punched takes space again when it is filled, until the file's end is cut off.
    if (isPunched) checkSpace(blocks.length * image.blockBytes, ports.files.folder.freeBytes());
    for (const [block, entry] of slots) await copyBlock(ports, image, block, entry);
    if (ports.off.compactDataSync !== true) await image.sync();
    image.changeBat(blocks, withEntries(image.bat, slots));
    if (ports.off.compactMapSync !== true) await image.sync();
    publish(ports, image, slots, blocks);
    await oldReadersLeft(ports);
    done += blocks.length;
    told(0.5 + done / all.length / 2);
    if (!(await ports.goOn())) return false;
  }
  return true;
}

/** The BAT entries that the last blocks get. Nobody else moves blocks of a frozen image meanwhile. */
function forwards(image: Image): Map<number, number> {
  const moves = new Map<number, number>();
  const last = image.allocatedBlocks().sort((a, b) => (image.bat[b] ?? 0) - (image.bat[a] ?? 0));
  for (const room of roomIn(image)) {
    for (let { from } = room; ; ) {
      const block = last[moves.size];
      const slot = slotIn(image, from);
      if (block === undefined || slot.entry >= (image.bat[block] ?? BAT_UNUSED)) return moves;
      if (slot.end > room.end) break;
      moves.set(block, slot.entry);
      from = slot.end;
    }
  }
  return moves;
}

/** The block moves with its bitmap and its recorded sums: damage is carried along. */
async function copyBlock(ports: CopyPorts, image: Image, block: number, entry: number): Promise<void> {
  const units = image.units(block);
  const moved = await moveUnits(ports, { source: image, block, units }, { image, entry, isFresh: false });
  writePage(image, block, entry, { units, ...moved });
}

async function endEarlier({ off }: CopyPorts, image: Image): Promise<void> {
  const used = [...places(image)].reduce((last, place) => Math.max(last, place.end), 0);
  const end = alignUp(used, SECTOR_BYTES);
  if (end >= image.end) return;
  image.endAt(end);
  if (off.compactEndSync !== true) await image.sync();
}
