// Takes a point without a moment out of the tree (T8), block by block, while the disk is used. The point has
// exactly one child, so nobody else reads through it. Of the two images the one with less in it moves.
//
//   up    the point's units go into the child, where the child has none of its own; the child then hangs off the
//         point's parent:      child data + sums → sync → child bitmaps + BAT → sync · bitmaps' sums, header · sync ·
//         done · unlink
//   down  the child's units go into the point's file, which then takes the child's name:
//         point data + sums → sync → point bitmaps + BAT → sync → bitmaps' sums → sync → child BAT cleared → sync ·
//         op=flip · point's footer · sync · rename · folder sync · done
//
// The child reads the same at every instant: while it has a unit it answers for it, and before it gives a
// unit up the point's file has it. So running the same loop again is the recovery.

import { invariant } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { batches } from './batches.ts';
import {
  type CopyPorts,
  type CopyProgress,
  checkSpace,
  clearBlocks,
  fillSlots,
  fillWhole,
  hasLostMap,
  isRecordedIn,
  moveUnits,
  publish,
  union,
  unitCount,
  unitsBefore,
  withEntries,
  withMoved,
} from './copy.ts';
import { fileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { clipped } from './layers.ts';
import { isBlank, mapSum, type Page, readPage, writeSums, writeUnits } from './page.ts';
import { resizeNeedsBytes, resizeRoot } from './resize.ts';
import { drop, type MergeOp, put } from './state.ts';
import { bitmapSum } from './sums.ts';

interface Merge {
  readonly target: Image;
  readonly source: Image;
  /** What the target had of these units no longer matters. */
  readonly isOverwriting: boolean;
  /** The units of an allocated block of the source that the target is to get. */
  readonly wanted: (block: number) => Uint8Array;
}

/** Bytes to move: `up` the point's units that the child lacks, `down` all units of the child. */
export function mergeBytes(point: Image, child: Image): { readonly up: number; readonly down: number } {
  const sum = (merge: Merge): number =>
    merge.source
      .allocatedBlocks()
      .reduce((bytes, block) => bytes + unitCount(merge.wanted(block)) * UNIT_BYTES, 0);
  return { up: sum(upwards(point, child)), down: sum(downwards(point, child)) };
}

const upwards = (point: Image, child: Image): Merge => ({
  target: child,
  source: point,
  isOverwriting: false,
  wanted: block => {
    const units = clipped(point.units(block), unitsBefore(child, block, child.virtualBytes));
    if (!child.has(block)) return units;
    const own = child.units(block);
    return units.map((unit, index) => (own[index] === 0 ? unit : 0));
  },
});

const downwards = (point: Image, child: Image): Merge => ({
  target: point,
  source: child,
  isOverwriting: true,
  wanted: block => child.units(block),
});

/** A root stays the file it is: no child becomes the root by filling up. Only a root changes its size. */
export function mergeDirection(point: Image, child: Image): MergeOp['direction'] {
  if (!point.isDifferencing) return 'down';
  if (point.virtualBytes !== child.virtualBytes) return 'up';
  const { up, down } = mergeBytes(point, child);
  return up <= down ? 'up' : 'down';
}

/** Worst case of new space: every moved block a new slot in the other image (T14). */
export function mergeNeedsBytes(point: Image, child: Image, direction: MergeOp['direction']): number {
  const { target, source } = direction === 'up' ? upwards(point, child) : downwards(point, child);
  const missing = source.allocatedBlocks().filter(block => !target.has(block));
  const resize = direction === 'up' ? 0 : resizeNeedsBytes(point, child.virtualBytes);
  return missing.length * (target.blockBytes + UNIT_BYTES) + resize;
}

/** Runs a merge to its end, from wherever a pause or a crash left it. False: stopped by `goOn`. */
export async function runMerge(ports: CopyPorts, op: MergeOp): Promise<boolean> {
  return op.direction === 'up' ? mergeUp(ports, op) : mergeDown(ports, op);
}

async function mergeUp(ports: CopyPorts, op: MergeOp): Promise<boolean> {
  const { files, tree } = ports;
  const [point, child] = [
    files.image(fileName(op.point), op.point),
    files.image(fileName(op.child), op.child),
  ];
  if (!(await moveAll(ports, upwards(point, child), null))) return false;
  await recordMaps(ports, child, point.allocatedBlocks());
  const parent = tree.point(op.point)?.parent ?? null;
  // Only one sector of the header differs between the two parents, and through either the content is the
  // same.
  if (parent !== null) child.become({ uuid: op.child, parent: { uuid: parent, name: fileName(parent) } });
  child.writeEndFooter();
  if (ports.off.mergeChildSync !== true) await child.sync();
  finish(ports, op, fileName(op.point));
  return true;
}

async function mergeDown(ports: CopyPorts, op: MergeOp): Promise<boolean> {
  const { files, tree, off } = ports;
  if (op.stage === 'copy') {
    const [point, child] = [
      files.image(fileName(op.point), op.point),
      files.image(fileName(op.child), op.child),
    ];
    if (child.virtualBytes > point.virtualBytes) await resizeRoot(point, child.virtualBytes, ports);
    if (!(await moveAll(ports, downwards(point, child), child))) return false;
    // T8: the point's file will take its name; what is still in it would be lost.
    invariant(child.allocatedBlocks().length === 0, `${child.file.name} is not drained`);
    if (off.mergeRecordBeforeHeader !== true) tree.commit([put('op', { ...op, stage: 'flip' })]);
  }
  const { folder } = files;
  const merged = files.merged(op);
  const parent = tree.point(op.point)?.parent ?? null;
  await resizeRoot(merged, tree.sizeOf(files.row, op.child), ports);
  merged.become({
    uuid: op.child,
    parent: parent === null ? null : { uuid: parent, name: fileName(parent) },
    timestampMs: folder.exists(fileName(op.child)) ? files.timestampMs(op.child) : merged.timestampMs,
  });
  merged.writeEndFooter();
  if (off.mergeHeaderSync !== true) await merged.sync();
  if (folder.exists(fileName(op.point))) {
    files.rename(fileName(op.point), fileName(op.child));
  }
  if (off.mergeFolderSync !== true) await folder.sync();
  finish(ports, op, null);
  return true;
}

/** `emptied`: the source, where its blocks are dropped batch by batch; null where they stay. */
async function moveAll(ports: CopyPorts, merge: Merge, emptied: Image | null): Promise<boolean> {
  const blocks = await movedBlocks(ports, merge, emptied);
  const progress: CopyProgress = {
    phase: 'copy',
    blocksDone: 0,
    blocksTotal: blocks.length,
    bytesDone: 0,
    bytesTotal: blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    batches: 0,
  };
  ports.progress({ ...progress });
  for (const { blocks: batch, bytes } of batches(blocks, ports.nextBatchBytes)) {
    // T14: the spare room is the guest's, whoever took the rest meanwhile. Blocks the target has take no new
    // space.
    const grown = batch.filter(block => !merge.target.has(block)).length;
    if (grown > 0) checkSpace(grown * merge.target.blockBytes, ports.files.folder.freeBytes());
    await absorb(ports, merge, batch);
    if (emptied !== null) {
      if ((await recordMaps(ports, merge.target, batch)) && ports.off.mergeSumSync !== true)
        await merge.target.sync();
      await clearBlocks(ports, emptied, batch, { isGoing: true });
    }
    progress.blocksDone += batch.length;
    progress.bytesDone += bytes;
    progress.batches++;
    ports.progress({ ...progress });
    if (!(await ports.goOn())) return false;
  }
  return true;
}

/** The source's blocks that have, or may have, something for the target; all where it is emptied. */
async function movedBlocks(
  ports: CopyPorts,
  { source, target, wanted }: Merge,
  emptied: Image | null,
): Promise<{ readonly block: number; readonly bytes: number }[]> {
  const blocks: { block: number; bytes: number }[] = [];
  const isOpen = (block: number): boolean =>
    block < target.blockCount && (!target.has(block) || target.units(block).includes(0));
  for (const block of source.allocatedBlocks()) {
    const bytes = unitCount(wanted(block)) * UNIT_BYTES;
    if (emptied !== null || bytes > 0 || (isOpen(block) && hasLostMap(ports, source, block)))
      blocks.push({ block, bytes });
    await ports.turn(UNIT_BYTES);
  }
  return blocks;
}

/** Makes the target answer for these units too, durably: data before the maps that name it. */
async function absorb(ports: CopyPorts, merge: Merge, blocks: readonly number[]): Promise<void> {
  const { off } = ports;
  const { target, source, wanted } = merge;
  const grown = new Map<number, Uint8Array>();
  for (const block of blocks.filter(row => target.has(row)))
    grown.set(block, await growBlock(ports, merge, block));
  const missing = blocks.filter(block => !target.has(block));
  const slots = await fillSlots(target, missing, async (block, slot) => {
    await fillWhole(ports, target, slot, { source, block, units: wanted(block) });
  });
  if (off.mergeDataSync !== true) await target.sync();
  try {
    for (const [block, units] of grown) writeUnits(target, block, units);
    target.changeBat(slots.keys(), withEntries(target.bat, slots));
  } catch (cause) {
    // A retry writes these units again, and a refused clone may leave anything there: no bitmap may name them
    // by then.
    if (off.mergeMapsBack !== true)
      target.putBack(() => {
        for (const block of grown.keys()) writeUnits(target, block, target.units(block));
      });
    throw cause;
  }
  if (off.mergeMapSync !== true) await target.sync();
  for (const [block, units] of grown) target.units(block).set(units);
  publish(ports, target, slots, blocks);
}

/**
 * Gives a block of the target more units, and their sums; answers the bitmap that will name them. Sums and
 * bitmap are not in one sector: until the new bitmap is durable no sum of it is recorded, so that a crash
 * between the two is not taken for damage.
 */
async function growBlock(
  ports: CopyPorts,
  { target, source, wanted, isOverwriting }: Merge,
  block: number,
): Promise<Uint8Array> {
  const units = wanted(block);
  const from = { source, block, units };
  const place = { image: target, entry: target.bat[block] ?? 0, isFresh: false };
  const moved = await moveUnits(ports, from, place);
  const read = readPage(target, block);
  const isReplaced = isOverwriting && !units.includes(0);
  const wasLost = read.isMapLost || isBlankOf(ports, target, read);
  const page = { ...read, isMapLost: wasLost && !isReplaced };
  const all = union(target.units(block), units);
  const { sums, isMapLost } = withMoved(page, units, moved);
  // Its sum tells, not the bitmap as it is read, which may not be durable. A root's bitmap never changes
  // (T12).
  const isKnown = isMapLost || page.sums.bitmap === bitmapSum(all, block) || !target.isDifferencing;
  writeSums(target, block, { bitmap: isKnown ? mapSum(all, block, isMapLost) : 0, units: sums });
  return all;
}

/** The page has lost all its sums. A merge under way does not leave such pages: their units have sums. */
const isBlankOf = ({ tree }: CopyPorts, image: Image, { sums }: Page): boolean =>
  image.isDifferencing && isBlank(sums) && isRecordedIn(tree, image);

/** Records the sums of durable bitmaps that have none. True: some had none. */
async function recordMaps(ports: CopyPorts, image: Image, blocks: readonly number[]): Promise<boolean> {
  let isChanged = false;
  for (const block of blocks) {
    if (!image.has(block) || !image.hasSums(block)) continue;
    const page = readPage(image, block);
    const { units, sums } = page;
    if (sums.bitmap === 0 && !isBlankOf(ports, image, page)) {
      writeSums(image, block, { ...sums, bitmap: mapSum(units, block, false) });
      isChanged = true;
    }
    await ports.turn(UNIT_BYTES);
  }
  return isChanged;
}

/** The child now hangs off the point's parent. `gone`: the point's file; null: it became the child's. */
function finish({ files, tree }: CopyPorts, op: MergeOp, gone: string | null): void {
  const [point, child] = [tree.point(op.point), tree.point(op.child)];
  if (point === undefined || child === undefined) return;
  tree.commit([
    put('point', { ...child, parent: point.parent, sums: op.direction === 'up' ? child.sums : point.sums }),
    drop('point', op.point),
    drop('op', op.id),
    ...(gone === null ? [] : [put('unlink', { id: op.point, diskId: op.diskId })]),
  ]);
  files.dropView(op.point);
  files.resetViews();
}
