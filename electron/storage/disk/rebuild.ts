// The rows of one disk from the headers of its files alone (T5): what `rescue` puts into a new timeline.db.
// Pure. A mirror of the lost rows (timeline.json) may lend names; parents come from the headers, whatever the
// mirror says.
//
//   R.vhd dynamic, R.vhd.new          an edge is being turned: op copy (its way back goes through the same states, T7)
//   C.vhd or R.vhd dynamic of UUID C, R.vhd.new   its names are changing hands: op flip (T3)
//   X.vhd of UUID C, and perhaps C.vhd            a merge downwards is changing names: op merge, flip (T8)
//
// One operation at a time (T18): so an R.vhd.new beside a merge, or without the C it is a way back to,
// belongs to no edge that is being turned. A power cut undid its unlinking; it is empty.
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { fileName } from './disk-files.ts';
import type { MergeOp, OpRow, PointRow, ReversalOp, SealOp } from './state.ts';

export interface FoundImage {
  /** As in the disk's folder: `<uuid>.vhd` or `<uuid>.vhd.new`. */
  readonly name: string;
  readonly uuid: PointId;
  /** Null: dynamic. */
  readonly parent: PointId | null;
  readonly virtualBytes: number;
  readonly blockBytes: number;
  /** When it was made as a leaf. A point keeps its time stamp, so the leaf's is the newest. */
  readonly timestampMs: number;
  readonly isLeaf: boolean;
  /** Its end footer says what its head footer says (T12). */
  readonly hasEnd: boolean;
  readonly isEmpty: boolean;
  /** Run files are beside it: it is a leaf that was not closed (T11). */
  readonly hasRunFile: boolean;
}

/** What the mirror remembers of this disk. */
export interface Remembered {
  readonly leaf: PointId | null;
  readonly points: ReadonlySet<PointId>;
}

export interface RebuiltDisk {
  readonly virtualBytes: number;
  readonly blockBytes: number;
  readonly points: readonly Pick<PointRow, 'id' | 'parent' | 'virtualBytes'>[];
  readonly ops: readonly OpRow[];
  /** Null: the leaf is lost, or there never was one; a new one is to be made on `leafParent`. */
  readonly leaf: PointId | null;
  readonly leafParent: PointId | null;
  /**
   * T6: a take was under way, or about to be: the new leaf, which hangs off `leaf`, the one not sealed yet.
   */
  readonly taking: { readonly leaf: PointId; readonly virtualBytes: number } | null;
  /** Files whose parents do not lead to the root: left alone. */
  readonly unattached: readonly string[];
}

/** Null: no image is a root, so none of them can be read. */
export function rebuildDisk(
  diskId: DiskId,
  images: readonly FoundImage[],
  remembered: Remembered,
): RebuiltDisk | null {
  const root = images.find(({ parent }) => parent === null);
  if (root === undefined) return null;
  const merge = mergeOf(diskId, images);
  const reversal = merge === null ? reversalOf(diskId, images, root) : null;
  const parents = parentsOf(images, root, reversal, merge);
  const { attached, unattached } = attach(parents);
  const newest = chooseLeaf(images, parents, attached, remembered);
  const sealing = sealedUnder(newest, images, parents);
  const leaf = sealing ?? newest;
  const points = [...attached]
    .filter(id => id !== leaf && id !== newest)
    .map(id => ({ id, parent: parents.get(id) ?? null, ...sizeOf(id, images) }));
  const shape = images.find(({ uuid }) => uuid === leaf) ?? root;
  return {
    virtualBytes: shape.virtualBytes,
    blockBytes: shape.blockBytes,
    points,
    ops: [reversal, merge, ...sealsOf(diskId, images, points, [reversal, merge])].filter(op => op !== null),
    leaf,
    leafParent: leaf === null ? rootId(root, reversal) : (parents.get(leaf) ?? null),
    taking:
      sealing === null || newest === null ? null : { leaf: newest, virtualBytes: bytesOf(newest, images) },
    unattached: unattached.map(id => images.find(({ uuid }) => uuid === id)?.name ?? id),
  };
}

/**
 * Points that must still be sealed: the leaf of a going back that came to nothing, or what was Now where
 * another leaf was chosen; and points that lost their end footer to a merge nobody remembers.
 */
function sealsOf(
  diskId: DiskId,
  images: readonly FoundImage[],
  points: readonly Pick<PointRow, 'id'>[],
  [reversal, merge]: readonly [ReversalOp | null, MergeOp | null],
): SealOp[] {
  const moving = [reversal?.root, reversal?.child, merge?.point, merge?.child];
  const isUnsealed = (id: PointId): boolean =>
    !moving.includes(id) &&
    images.some(
      ({ uuid, name, isLeaf, hasEnd }) => uuid === id && name === fileName(id) && (isLeaf || !hasEnd),
    );
  return points
    .filter(({ id }) => isUnsealed(id))
    .map(({ id: point }) => ({ kind: 'seal', id: `seal-${point}`, diskId, point }));
}

/**
 * While a root changes its size, the backward delta, the other file with its UUID, has the point's size (T3).
 */
function sizeOf(id: PointId, images: readonly FoundImage[]): Pick<PointRow, 'virtualBytes'> {
  const own = images.filter(({ uuid }) => uuid === id);
  const found = own.find(({ parent }) => parent !== null) ?? own[0];
  return found === undefined ? {} : { virtualBytes: found.virtualBytes };
}

const bytesOf = (id: PointId, images: readonly FoundImage[]): number => sizeOf(id, images).virtualBytes ?? 0;

/** While an edge is being turned the root is still the old point. */
const rootId = (root: FoundImage, reversal: ReversalOp | null): PointId => reversal?.root ?? root.uuid;

function reversalOf(diskId: DiskId, images: readonly FoundImage[], root: FoundImage): ReversalOp | null {
  const backward = images.find(({ name }) => name.endsWith('.new'));
  if (backward === undefined || backward.parent === null) return null;
  const isFlipping = root.uuid !== backward.uuid;
  const isEdge = images.some(({ uuid, parent }) => uuid === backward.parent && parent === backward.uuid);
  if (!isFlipping && !isEdge) return null;
  return {
    kind: isFlipping ? 'flip' : 'copy',
    id: `reversal-${diskId}`,
    diskId,
    root: backward.uuid,
    child: backward.parent,
  };
}

/**
 * A file that carries another point's UUID, unless it is the root of an edge whose names are changing hands.
 */
function mergeOf(diskId: DiskId, images: readonly FoundImage[]): MergeOp | null {
  const going = images.find(({ name, uuid }) => name !== fileName(uuid) && !name.endsWith('.new'));
  if (going === undefined) return null;
  const backward = images.find(({ name }) => name === `${going.name}.new`);
  if (going.parent === null && backward?.parent === going.uuid) return null;
  const point = going.name.slice(0, -'.vhd'.length) as PointId;
  return {
    kind: 'merge',
    id: `merge-${diskId}`,
    diskId,
    point,
    child: going.uuid,
    direction: 'down',
    stage: 'flip',
  };
}

function parentsOf(
  images: readonly FoundImage[],
  root: FoundImage,
  reversal: ReversalOp | null,
  merge: MergeOp | null,
): Map<PointId, PointId | null> {
  const parents = new Map<PointId, PointId | null>();
  for (const { uuid, parent, name } of images)
    if (name === fileName(uuid) && parent !== null) parents.set(uuid, parent);
  parents.set(root.uuid, null);
  // Until the last transaction the rows say what they said before the op began.
  if (reversal !== null) parents.set(reversal.root, null).set(reversal.child, reversal.root);
  if (merge !== null) {
    const merged = images.find(({ name }) => name === fileName(merge.point));
    parents.set(merge.point, merged?.parent ?? null).set(merge.child, merge.point);
  }
  return parents;
}

/** The ids that lead to the root, and the others. Iterative, and proof against circles (T15). */
function attach(parents: ReadonlyMap<PointId, PointId | null>): {
  attached: Set<PointId>;
  unattached: PointId[];
} {
  const children = new Map<PointId | null, PointId[]>();
  for (const [id, parent] of parents) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [id]);
    else known.push(id);
  }
  const attached = new Set<PointId>();
  const open = [...(children.get(null) ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (attached.has(id)) continue;
    attached.add(id);
    open.push(...(children.get(id) ?? []));
  }
  return { attached, unattached: [...parents.keys()].filter(id => !attached.has(id)) };
}

/**
 * The leaf: an image that nothing hangs off. The remembered one; else of those marked as a leaf the
 * likeliest, as sorted below.
 */
function chooseLeaf(
  images: readonly FoundImage[],
  parents: ReadonlyMap<PointId, PointId | null>,
  attached: ReadonlySet<PointId>,
  { leaf, points }: Remembered,
): PointId | null {
  const needed = new Set([...parents.values()].filter(id => id !== null));
  const free = images.filter(
    ({ uuid, name }) => name === fileName(uuid) && attached.has(uuid) && !needed.has(uuid),
  );
  // T5: nobody writes to a sealed image. It may be a point that the mirror does not know yet.
  const candidates = free.filter(({ uuid, isLeaf }) => isLeaf && !points.has(uuid));
  const known = free.find(({ uuid }) => uuid === leaf);
  // T7: after a going back the mirror may still name the leaf that was left, which is sealed by then.
  const isLeft = known?.isLeaf === false && candidates.some(({ isEmpty }) => !isEmpty);
  if (known !== undefined && !isLeft) return known.uuid;
  // A take that was never recorded left its new leaf on the remembered one; an older, forgotten leaf may be
  // there, too.
  const isNext = ({ uuid }: FoundImage): boolean => leaf !== null && parents.get(uuid) === leaf;
  // T7: of two leaves one belongs to a going back that came to nothing, or was left by one: nobody wrote to
  // it.
  candidates.sort(
    (a, b) =>
      Number(isNext(b)) - Number(isNext(a)) ||
      Number(b.hasRunFile) - Number(a.hasRunFile) ||
      Number(a.isEmpty) - Number(b.isEmpty) ||
      b.timestampMs - a.timestampMs,
  );
  return candidates[0]?.uuid ?? null;
}

/** What the leaf alone hangs off, if its footer marks it as a leaf, too: nobody sealed it (T6). */
function sealedUnder(
  leaf: PointId | null,
  images: readonly FoundImage[],
  parents: ReadonlyMap<PointId, PointId | null>,
): PointId | null {
  const below = leaf === null ? null : (parents.get(leaf) ?? null);
  const isUnsealed = images.some(
    ({ uuid, name, isLeaf }) => uuid === below && name === fileName(uuid) && isLeaf,
  );
  const children = [...parents.values()].filter(parent => parent === below);
  return isUnsealed && children.length === 1 ? below : null;
}

export const isImageName = (name: string): boolean => /^[0-9a-f-]{36}\.vhd(?:\.new)?$/.test(name);
