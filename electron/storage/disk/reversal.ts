// Turns one edge of the tree round (T2), block by block, while the disk is used. Every step leaves one of the
// three states of T3 on disk: in F only (root old) · in F and in B (root may be torn) · in B only (root new).
// So B is its own undo log, and running the same loop again is the recovery.
//
// R and C may differ in size. B is as large as R was. If C is smaller, B also backs up what R has behind C's
// end. If C is larger the root grows first; nobody else reads it behind R's end, so there its BAT entry alone
// tells new from old. The root has C's size before it has C's name.
//
//   per batch   B data + bitmap → sync → B BAT → sync → root data → sync (→ root BAT → sync) → F BAT cleared → sync
//   flip        folder synced with B · op=flip · root headers · sync · rename root · folder sync · rename B · folder sync · done
//
// test/sim/storage removes each of these syncs in turn and must find damage.

import type { PointId } from '../../../shared/ids.ts';
import { invariant } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { batches } from './batches.ts';
import {
  type CopyPorts,
  type CopyProgress,
  checkSpace,
  clearBlocks,
  copyWhole,
  fillSlots,
  fillWhole,
  oldReadersLeft,
  overwriteUnits,
  publish,
  union,
  unitCount,
  unitsBefore,
  unitsFrom,
  withEntries,
} from './copy.ts';
import { type Edge, fileName, newFileName } from './disk-files.ts';
import { isUncertain } from './engine-faults.ts';
import { Image } from './image.ts';
import { clipped } from './layers.ts';
import { resizeNeedsBytes, resizeRoot } from './resize.ts';
import { drop, put, type ReversalOp } from './state.ts';
import type { Tree } from './tree.ts';
import { undoNeedsBytes } from './undo.ts';

/** Worst case of new space: a copy of F's units beside it, and root blocks that were not there (T14). */
export function reversalNeedsBytes({ root, forward }: Turning): number {
  const rootBytes = root.virtualBytes;
  let bytes = resizeNeedsBytes(root, forward.virtualBytes);
  for (const block of turnedBlocks({ root, forward })) {
    const saved = unitCount(savedUnits({ root, forward, rootBytes }, block));
    const isNew = forward.has(block) && !root.has(block);
    bytes += saved * UNIT_BYTES + UNIT_BYTES;
    if (isNew) bytes += unitCount(forward.units(block)) * UNIT_BYTES + UNIT_BYTES;
  }
  return bytes + root.blockCount * 4;
}

type Turning = Pick<Edge, 'root'> & { readonly forward: Image };

/** F's blocks, and where F is smaller also the root's blocks behind F's end. */
function turnedBlocks({ root, forward }: Turning): number[] {
  const first = Math.floor(forward.virtualBytes / forward.blockBytes);
  const behind = forward.virtualBytes < root.virtualBytes ? root.allocatedBlocks() : [];
  return [...new Set([...forward.allocatedBlocks(), ...behind.filter(block => block >= first)])];
}

/**
 * The root's units that B must keep: those F overwrites, and those behind F's end; none behind R's own end.
 */
function savedUnits(
  { root, forward, rootBytes }: Turning & { readonly rootBytes: number },
  block: number,
): Uint8Array {
  const written = forward.has(block) ? forward.units(block) : new Uint8Array(root.unitsPerBlock);
  const saved = root.has(block) ? union(written, unitsFrom(root, block, forward.virtualBytes)) : written;
  return clipped(saved, unitsBefore(root, block, rootBytes));
}

/** Links the empty backward delta and records the op: a crash then resumes it. Null: the edge is gone. */
export async function beginReversal(
  ports: CopyPorts,
  root: PointId,
  child: PointId,
): Promise<ReversalOp | null> {
  const { files, tree } = ports;
  const name = newFileName(root);
  const backward = await linkBackward(ports, root, child);
  // Meanwhile a going back may have left the child behind, and a deletion taken it (T18).
  if (tree.point(child)?.parent !== root) {
    backward.close();
    await files.folder.unlink(name);
    return null;
  }
  files.register(name, backward);
  const op: ReversalOp = { kind: 'copy', id: `reversal-${files.row.id}`, diskId: files.row.id, root, child };
  try {
    tree.commit([put('op', op)]);
  } catch (cause) {
    // T14: the transaction may have happened, and then it names this file.
    if (isUncertain(cause)) throw cause;
    // People may go back before there is room again, and then nothing would turn this edge and use the file.
    files.dropImage(name);
    await files.folder.unlink(name);
    throw cause;
  }
  files.resetViews();
  return op;
}

async function linkBackward(ports: CopyPorts, root: PointId, child: PointId): Promise<Image> {
  const { files, tree, off } = ports;
  const { folder, row } = files;
  const name = newFileName(root);
  // An attempt that found no space left this file: no record knows it.
  if (folder.exists(name)) await folder.unlink(name);
  const file = folder.open(name, 'create');
  try {
    const backward = Image.create(file, {
      uuid: root,
      virtualBytes: tree.sizeOf(row, root),
      blockBytes: row.blockBytes,
      parent: { uuid: child, name: fileName(child) },
      timestampMs: files.image(fileName(root), root).timestampMs,
      isLeaf: false,
    });
    if (off.backwardSync !== true) await backward.sync();
    if (off.folderSyncBeforeCopy !== true) await folder.sync();
    return backward;
  } catch (cause) {
    file.close();
    await folder.unlink(name);
    throw cause;
  }
}

/** Runs an op to its end, from wherever a pause or a crash left it. False: stopped by `goOn`. */
export async function runReversal(ports: CopyPorts, op: ReversalOp): Promise<boolean> {
  const copied = op.kind === 'copy' ? await copy(ports, op) : op;
  if (copied === null) return false;
  await flip(ports, copied);
  return true;
}

async function copy(ports: CopyPorts, op: ReversalOp): Promise<ReversalOp | null> {
  const { files, tree, off } = ports;
  const edge = files.edge(op);
  const { forward } = edge;
  if (forward === null) return op;
  if (forward.virtualBytes > edge.root.virtualBytes) await resizeRoot(edge.root, forward.virtualBytes, ports);
  const turning = { ...edge, forward, rootBytes: edge.backward.virtualBytes };
  const bytesOf = (block: number): number =>
    unitCount(forward.has(block) ? forward.units(block) : savedUnits(turning, block)) * UNIT_BYTES;
  const isLeft = (block: number): boolean => forward.has(block) || !edge.backward.has(block);
  const blocks = turnedBlocks(turning)
    .filter(isLeft)
    .map(block => ({ block, bytes: bytesOf(block) }));
  const done = edge.backward.allocatedBlocks().filter(block => !forward.has(block));
  const bytesDone = done.reduce((sum, block) => sum + unitCount(edge.backward.units(block)) * UNIT_BYTES, 0);
  const progress: CopyProgress = {
    phase: 'copy',
    blocksDone: done.length,
    blocksTotal: done.length + blocks.length,
    bytesDone,
    bytesTotal: bytesDone + blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    batches: 0,
  };
  ports.progress({ ...progress });
  // T7: turning back writes all that was moved behind F again, also what an earlier process moved.
  let keepFree = undoNeedsBytes(edge);
  for (const { blocks: batch, bytes } of batches(blocks, ports.nextBatchBytes)) {
    const moved = bytes + batch.length * UNIT_BYTES;
    // T14: the spare room is the guest's, whoever took the rest meanwhile.
    checkSpace(moved, files.folder.freeBytes());
    progress.blocksDone += batch.length;
    progress.bytesDone += bytes;
    keepFree += moved;
    await moveBatch(ports, turning, { batch, keepFree });
    progress.batches++;
    ports.progress({ ...progress });
    if (!(await ports.goOn())) return null;
  }
  // T3: the flip takes F's name away: what it still had would be lost.
  invariant(forward.allocatedBlocks().length === 0, `${forward.file.name} is not drained`);
  edge.backward.writeEndFooter();
  if (off.backwardEndSync !== true) await edge.backward.sync();
  // T3: the folder has B in it before the record that relies on it.
  if (off.flipRecordBeforeHeader !== true) tree.commit([put('op', { ...op, kind: 'flip' })]);
  ports.progress({ ...progress, phase: 'flip' });
  return { ...op, kind: 'flip' };
}

type Moving = Edge & { readonly forward: Image; readonly rootBytes: number };

async function moveBatch(
  ports: CopyPorts,
  edge: Moving,
  { batch, keepFree }: { readonly batch: readonly number[]; readonly keepFree: number },
): Promise<void> {
  const { backward, root, forward } = edge;
  const { backwardDataSync, backwardBatSync, clearBeforeRoot } = ports.off;
  // The root's old units go to B.
  await copyWhole(
    ports,
    { target: backward, source: root, unitsOf: block => savedUnits(edge, block) },
    batch.filter(block => !backward.has(block) && savedUnits(edge, block).includes(0xff)),
    { dataSync: backwardDataSync === true, batSync: backwardBatSync === true },
  );
  await oldReadersLeft(ports);
  const written = batch.filter(block => forward.has(block));
  await overwrite(ports, edge, forward, written);
  invariant(
    written.every(block => root.has(block)),
    `${root.file.name} lacks what ${forward.file.name} is to lose`,
  );
  await clearBlocks(ports, forward, written, { keepFree, isGoing: true });
  if (clearBeforeRoot === true) await root.sync();
}

/** F's units go over the root's. F still answers for them, so a torn root is never read (T3). */
async function overwrite(
  ports: CopyPorts,
  edge: Edge,
  forward: Image,
  blocks: readonly number[],
): Promise<void> {
  const { root } = edge;
  const { off } = ports;
  for (const block of blocks) {
    if (!root.has(block)) continue;
    await overwriteUnits(ports, root, { source: forward, block, units: forward.units(block) });
  }
  const missing = blocks.filter(block => !root.has(block));
  const slots = await fillSlots(root, missing, (block, slot) =>
    fillWhole(ports, root, slot, { source: forward, block, units: forward.units(block) }),
  );
  const isLate = off.clearBeforeRoot === true;
  if (off.rootDataSync !== true && !isLate) await root.sync();
  if (slots.size > 0) {
    root.changeBat(slots.keys(), withEntries(root.bat, slots));
    if (off.rootBatSync !== true && !isLate) await root.sync();
  }
  publish(ports, root, slots, blocks);
}

/**
 * Names change hands: the root becomes C, B becomes R. Every step may be found done or undone after a crash.
 */
async function flip(ports: CopyPorts, op: ReversalOp): Promise<void> {
  const { files, tree, off } = ports;
  const { folder } = files;
  const { root } = files.edge(op);
  await resizeRoot(root, tree.sizeOf(files.row, op.child), ports);
  const isRenamed = !folder.exists(newFileName(op.root)) || !folder.exists(fileName(op.root));
  const timestampMs = files.timestampMs(op.child);
  const takeName = async (): Promise<void> => {
    root.become({ uuid: op.child, parent: null, timestampMs });
    root.writeEndFooter();
    if (off.rootHeaderSync !== true) await root.sync();
  };
  if (off.renameBeforeHeader !== true) await takeName();
  if (!isRenamed) {
    files.rename(fileName(op.root), fileName(op.child));
  }
  if (off.folderSyncAfterRename !== true) await folder.sync();
  if (off.renameBeforeHeader === true) await takeName();
  if (folder.exists(newFileName(op.root))) {
    files.rename(newFileName(op.root), fileName(op.root));
  }
  if (off.folderSyncBeforeDone !== true) await folder.sync();
  finish(tree, op);
  files.resetViews();
}

/** T1: only the two nodes of the edge change; siblings, children and the leaf are not touched. */
function finish(tree: Tree, op: ReversalOp): void {
  const [root, child] = [tree.point(op.root), tree.point(op.child)];
  if (root === undefined || child === undefined) return;
  // What was copied was summed: B has all its sums, the root has those it had and those of what it got.
  tree.commit([
    put('point', { ...child, parent: null, sums: root.sums }),
    put('point', { ...root, parent: op.child, sums: true }),
    drop('op', op.id),
  ]);
}
