// Which points read something out of one image, so that damage is pinned to the points it touches and to no
// others. Walks the tree from the image to what hangs off it, and leaves a branch where images on the way
// answer for all units asked for. Iterative (T15).
import type { MomentId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import type { DiskFiles } from './disk-files.ts';
import type { Image } from './image.ts';
import type { PointRow } from './state.ts';
import type { Tree } from './tree.ts';

/** Units of one block. Null: all the image holds, also what it should hold and does not show. */
export type Wanted = { readonly block: number; readonly units: Uint8Array } | null;

export interface Dependents {
  readonly momentIds: MomentId[];
  readonly touchesNow: boolean;
}

interface Step {
  readonly point: PointRow;
  readonly wanted: Wanted;
}

export function dependentsOf(tree: Tree, files: DiskFiles, name: string, wanted: Wanted): Dependents {
  const { id: diskId } = files.row;
  const points = tree.points.filter(point => point.diskId === diskId);
  const children = new Map<PointId, PointRow[]>();
  for (const point of points) {
    if (point.parent === null) continue;
    const known = children.get(point.parent);
    if (known === undefined) children.set(point.parent, [point]);
    else known.push(point);
  }
  const touched = new Map<PointId, Wanted>();
  const open: Step[] = [];
  const reach = (point: PointRow, left: Wanted | 'none'): void => {
    const own = left === 'none' ? left : within(left, tree.sizeOf(files.row, point.id), files.row.blockBytes);
    if (own !== 'none') open.push({ point, wanted: own });
  };
  for (const { point, wanted: left } of starts(tree, files, name, wanted, points)) reach(point, left);
  const turning = tree.reversalOf(diskId);
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    touched.set(step.point.id, step.wanted);
    for (const child of children.get(step.point.id) ?? []) {
      // T3: while their edge is turned, C reads its own image over the root, and nothing through R's backward
      // delta.
      if (touched.has(child.id) || (child.id === turning?.child && step.point.id === turning.root)) continue;
      reach(
        child,
        leftOver(step.wanted, () => files.top(child.id)),
      );
    }
  }
  const momentIds = points.flatMap(point =>
    touched.has(point.id) && point.momentId !== null ? [point.momentId] : [],
  );
  const below = tree.disk(diskId)?.leafParent ?? null;
  const touchesNow = below !== null && touched.has(below) && isUncovered(files, touched.get(below) ?? null);
  return { momentIds, touchesNow };
}

/** Points whose reads begin in this file; in the root of a turning edge, both that read through it (T3). */
function starts(
  tree: Tree,
  files: DiskFiles,
  name: string,
  wanted: Wanted,
  points: readonly PointRow[],
): Step[] {
  const op = tree.reversalOf(files.row.id);
  const own = points.filter(({ id }) => name.startsWith(id)).map(point => ({ point, wanted }));
  if (op === undefined) return own;
  const edge = readable(() => files.edge(op));
  const ends = points.filter(({ id }) => id === op.root || id === op.child);
  // Where one of the three images cannot be opened, their roles cannot be told: the file may touch both
  // points.
  if (edge === null)
    return ends.some(({ id }) => name.startsWith(id)) ? ends.map(point => ({ point, wanted })) : own;
  if (readable(() => files.image(name, null)) !== edge.root) return own;
  const through: Step[] = [];
  for (const point of ends) {
    const left = leftOver(wanted, () => (point.id === op.root ? edge.backward : edge.forward));
    if (left !== 'none') through.push({ point, wanted: left });
  }
  return through;
}

/** T3: an image ends at its own size; behind that are zeros, whatever lies below it. */
function within(wanted: Wanted, bytes: number, blockBytes: number): Wanted | 'none' {
  if (wanted === null) return null;
  const { block, units } = wanted;
  const end = Math.max(0, Math.floor((bytes - block * blockBytes) / UNIT_BYTES));
  const left = units.map((unit, index) => (index < end ? unit : 0));
  return left.includes(0xff) ? { block, units: left } : 'none';
}

/** The wanted units that an image on the way does not have; 'none' where it has them all. */
function leftOver(wanted: Wanted, imageOf: () => Image | null): Wanted | 'none' {
  if (wanted === null) return null;
  const { block, units } = wanted;
  const image = readable(imageOf);
  if (image === null || !image.has(block)) return wanted;
  const own = image.units(block);
  const left = units.map((unit, index) => (own[index] === 0 ? unit : 0));
  return left.includes(0xff) ? { block, units: left } : 'none';
}

/** Null where the image cannot be opened: then it answers for no unit. */
function readable<T>(opened: () => T | null): T | null {
  try {
    return opened();
  } catch (cause) {
    if (cause instanceof Fault) return null;
    throw cause;
  }
}

function isUncovered(files: DiskFiles, wanted: Wanted): boolean {
  let left: Wanted | 'none' = wanted;
  for (const leaf of files.leaves) if (left !== 'none') left = leftOver(left, () => leaf);
  return left !== 'none';
}
