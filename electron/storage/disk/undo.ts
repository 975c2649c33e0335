// Turns an edge back to where it was (T7): the mirror of reversal.ts, through the same three states of T3.
// First F gets back from the root what only B has; then the root gets its old content from B; then B gives it
// up. So C reads F over the root and R reads B over the root at every instant, and running the same loop
// again is the recovery.
//
//   per batch   F data + bitmap → sync → F BAT → sync → root data → sync → B BAT cleared → sync
//   end         end footers · op gone · B unlinked: drained, and no record knows it
//
// A block that the root got by the reversal stays, and reads as the zeros it was before. A root that was made
// larger gets its old size back. What it took in behind R's end first goes into F, whole: nothing tells which
// of those units F had.

import { invariant } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { batches } from './batches.ts';
import {
  type CopyPorts,
  type CopyProgress,
  clearBlocks,
  copyWhole,
  oldReadersLeft,
  overwriteUnits,
  union,
  unitCount,
  unitsBefore,
  unitsFrom,
} from './copy.ts';
import { type Edge, newFileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { clipped } from './layers.ts';
import { resizeRoot } from './resize.ts';
import { drop, type ReversalOp } from './state.ts';

type Turning = Edge & { readonly forward: Image };

/** The blocks of a root made larger that lie behind R's end, at least in part: F must have them back. */
const behind = ({ root, backward, forward }: Turning): number[] =>
  forward.virtualBytes <= backward.virtualBytes
    ? []
    : root
        .allocatedBlocks()
        .filter(block => unitsBefore(root, block, backward.virtualBytes) < root.unitsPerBlock);

/** The units F gets back: those B has before F's end, and those only a larger F can have had. */
function lentUnits({ root, backward, forward }: Turning, block: number): Uint8Array {
  const saved = backward.has(block) ? backward.units(block) : new Uint8Array(root.unitsPerBlock);
  const isLarger = forward.virtualBytes > backward.virtualBytes && root.has(block);
  const lent = isLarger ? union(saved, unitsFrom(root, block, backward.virtualBytes)) : saved;
  return clipped(lent, unitsBefore(root, block, forward.virtualBytes));
}

const lentBlocks = (edge: Turning): number[] =>
  [...new Set([...edge.backward.allocatedBlocks(), ...behind(edge)])].filter(
    block => !edge.forward.has(block) && lentUnits(edge, block).includes(0xff),
  );

/** By how many bytes F's file becomes longer. */
export function undoSlotBytes({ forward, ...edge }: Edge): number {
  if (forward === null) return 0;
  return lentBlocks({ ...edge, forward }).length * (forward.blockBytes + 2 * UNIT_BYTES);
}

/** Worst case of new space: what F gave up is written behind it again (T14). */
export function undoNeedsBytes({ forward, ...edge }: Edge): number {
  if (forward === null) return 0;
  const turning = { ...edge, forward };
  return lentBlocks(turning).reduce(
    (sum, block) => sum + (unitCount(lentUnits(turning, block)) + 1) * UNIT_BYTES,
    0,
  );
}

/** Runs an op of kind `undo` to its end, from wherever a crash left it. False: stopped by `goOn`. */
export async function runUndo(ports: CopyPorts, op: ReversalOp): Promise<boolean> {
  const { files, tree } = ports;
  const edge = files.edge(op);
  const { forward } = edge;
  if (forward !== null && !(await giveBack(ports, { ...edge, forward }))) return false;
  // T7: what B still had would be lost when it is unlinked.
  invariant(edge.backward.allocatedBlocks().length === 0, `${edge.backward.file.name} is not drained`);
  await resizeRoot(edge.root, tree.sizeOf(files.row, op.root), ports);
  // T12: both files have grown.
  for (const image of [edge.root, forward]) {
    image?.writeEndFooter();
    if (ports.off.undoEndSync !== true) await image?.sync();
  }
  tree.commit([drop('op', op.id)]);
  files.resetViews();
  files.dropImage(newFileName(op.root));
  await files.folder.unlink(newFileName(op.root));
  return true;
}

async function giveBack(ports: CopyPorts, edge: Turning): Promise<boolean> {
  const { backward } = edge;
  const bytesOf = (block: number): number => unitCount(lentUnits(edge, block)) * UNIT_BYTES;
  const blocks = [...new Set([...backward.allocatedBlocks(), ...lentBlocks(edge)])].map(block => ({
    block,
    bytes: bytesOf(block),
  }));
  const progress: CopyProgress = {
    phase: 'undo',
    blocksDone: 0,
    blocksTotal: blocks.length,
    bytesDone: 0,
    bytesTotal: blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    batches: 0,
  };
  ports.progress({ ...progress });
  for (const batch of batches(blocks, ports.nextBatchBytes)) {
    const isSwapped = ports.off.restoreBeforeRefill === true;
    if (isSwapped) await restore(ports, edge, batch.blocks);
    await refill(ports, edge, batch.blocks);
    await oldReadersLeft(ports);
    if (!isSwapped) await restore(ports, edge, batch.blocks);
    const drained = batch.blocks.filter(block => backward.has(block));
    await clearBlocks(ports, backward, drained, { isGoing: true });
    progress.blocksDone += batch.blocks.length;
    progress.bytesDone += batch.bytes;
    progress.batches++;
    ports.progress({ ...progress });
    if (!(await ports.goOn())) return false;
  }
  return true;
}

/** Makes F answer for these units again; the root still has C's content. */
function refill(ports: CopyPorts, edge: Turning, batch: readonly number[]): Promise<void> {
  const { root, forward } = edge;
  const { undoDataSync, undoBatSync } = ports.off;
  return copyWhole(
    ports,
    { target: forward, source: root, unitsOf: block => lentUnits(edge, block) },
    batch.filter(block => !forward.has(block) && lentUnits(edge, block).includes(0xff)),
    { dataSync: undoDataSync === true, batSync: undoBatSync === true },
  );
}

/** B's units go over the root's. B and F both answer for them, so a torn root is never read (T3). */
async function restore(ports: CopyPorts, edge: Turning, batch: readonly number[]): Promise<void> {
  const { root, backward } = edge;
  for (const block of batch) {
    if (!root.has(block) || !backward.has(block)) continue;
    await overwriteUnits(ports, root, { source: backward, block, units: backward.units(block) });
  }
  if (ports.off.undoRootSync !== true) await root.sync();
}
