// Turning an edge back to where it was (T7): the mirror of reversal.ts, through the same three states of T3. What B alone
// has goes back into F, from the root; then the root gets from B what it had; then B gives it up. So C reads F over the
// root and R reads B over the root at every instant, and running the same loop again is the recovery.
//
//   per batch   F data + bitmap → sync → F BAT → sync → root data → sync → B BAT cleared → sync
//   end         end footers · op gone · B unlinked: drained, and no record knows it
//
// A block the root got by the reversal stays, and reads as the zeros it was before.
import { UNIT_BYTES } from '../vhd/geometry.ts';
import {
  batches,
  type CopyPorts,
  type CopyProgress,
  clearBlocks,
  copyWhole,
  oldReadersLeft,
  overwriteUnits,
  unitCount,
} from './copy.ts';
import { type Edge, newFileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { drop, type ReversalOp } from './state.ts';

type Turning = Edge & { readonly forward: Image };

/** Worst case of new space: what F gave up is written behind it again (T14). */
export function undoNeedsBytes({ backward, forward }: Edge): number {
  const lost = backward.allocatedBlocks().filter(block => forward?.has(block) !== true);
  return lost.reduce((sum, block) => sum + (unitCount(backward.units(block)) + 1) * UNIT_BYTES, 0);
}

/** Runs an op of kind `undo` to its end, from wherever a crash left it. False: stopped by `goOn`. */
export async function runUndo(ports: CopyPorts, op: ReversalOp): Promise<boolean> {
  const { files, tree } = ports;
  const edge = files.edge(op);
  const { forward } = edge;
  if (forward !== null && !(await giveBack(ports, { ...edge, forward }))) return false;
  // T12: both have grown.
  for (const image of [edge.root, forward]) {
    image?.writeEndFooter();
    await image?.sync();
  }
  tree.commit([drop('op', op.id)]);
  files.resetViews();
  files.dropImage(newFileName(op.root));
  await files.folder.unlink(newFileName(op.root));
  return true;
}

async function giveBack(ports: CopyPorts, edge: Turning): Promise<boolean> {
  const { backward } = edge;
  const bytesOf = (block: number): number => unitCount(backward.units(block)) * UNIT_BYTES;
  const blocks = backward.allocatedBlocks().map(block => ({ block, bytes: bytesOf(block) }));
  const progress: CopyProgress = {
    phase: 'undo',
    blocksDone: 0,
    blocksTotal: blocks.length,
    bytesDone: 0,
    bytesTotal: blocks.reduce((sum, { bytes }) => sum + bytes, 0),
    batches: 0,
  };
  ports.progress({ ...progress });
  for (const batch of batches(blocks, ports.batchBytes)) {
    await refill(ports, edge, batch.blocks);
    await oldReadersLeft(ports);
    await restore(ports, edge, batch.blocks);
    await clearBlocks(ports, backward, batch.blocks);
    progress.blocksDone += batch.blocks.length;
    progress.bytesDone += batch.bytes;
    progress.batches++;
    ports.progress({ ...progress });
    if (!(await ports.goOn())) return false;
  }
  return true;
}

/** F answers for these units again; the root is still new. */
function refill(
  ports: CopyPorts,
  { root, backward, forward }: Turning,
  batch: readonly number[],
): Promise<void> {
  const { undoDataSync, undoBatSync } = ports.off;
  return copyWhole(
    ports,
    { target: forward, source: root, unitsOf: block => backward.units(block) },
    batch.filter(block => !forward.has(block)),
    { dataSync: undoDataSync === true, batSync: undoBatSync === true },
  );
}

/** B's units go over the root's. B and F both answer, so a torn root is never read (T3). */
async function restore(ports: CopyPorts, edge: Turning, batch: readonly number[]): Promise<void> {
  const { root, backward } = edge;
  for (const block of batch) {
    if (!root.has(block)) continue;
    await overwriteUnits(ports, root, { source: backward, block, units: backward.units(block) });
  }
  if (ports.off.undoRootSync !== true) await root.sync();
}
