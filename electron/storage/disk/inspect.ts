// What a point costs and how two points differ, from BATs, bitmaps and checksums alone: no data is read. On a
// large disk a question may take a while, so it lets the guest's requests in.
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import type { MomentCost, PointDifference } from '../../../shared/timeline.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import type { Disk } from './disk.ts';
import { type DiskFiles, fileName } from './disk-files.ts';
import { holdView } from './disk-volume.ts';
import { noPoint } from './engine-faults.ts';
import { ownerOf, type View } from './layers.ts';
import { readPage } from './page.ts';
import type { HeldRead } from './readers.ts';
import type { PointRow } from './state.ts';
import { zeroSum } from './sums.ts';
import type { Tree } from './tree.ts';

const BLOCKS_PER_TURN = 256;
const RANGES_MAX = 10_000;

export class Inspector {
  readonly #tree: Tree;
  readonly #disks: ReadonlyMap<DiskId, Disk>;
  readonly #turn: () => Promise<void>;

  constructor(tree: Tree, disks: ReadonlyMap<DiskId, Disk>, turn: () => Promise<void>) {
    this.#tree = tree;
    this.#disks = disks;
    this.#turn = turn;
  }

  /**
   * Holds a point for a later read: until the hold ends, nothing that it may read is overwritten or freed.
   */
  hold(pointId: PointId): HeldRead {
    const diskId = this.#tree.point(pointId)?.diskId;
    const files = diskId === undefined ? undefined : this.#disks.get(diskId)?.files;
    if (files === undefined) throw noPoint(pointId);
    const sizeBytes = this.#tree.sizeOf(files.row, pointId);
    const { blockBytes } = files.row;
    return holdView({ view: files.view(pointId), readers: files.readers }, { sizeBytes, blockBytes });
  }

  /** What deleting frees: at once, where nothing hangs off the point; after a merge, what both have. */
  async cost(momentId: MomentId): Promise<MomentCost> {
    const cost = { allocatedBytes: 0, freesNowBytes: 0, freesLaterBytes: 0 };
    const references = this.#tree.references();
    for (const { id, diskId } of this.#points(momentId)) {
      const files = this.#disks.get(diskId)?.files;
      if (files === undefined) continue;
      const bytes = files.allocatedBytes(fileName(id));
      cost.allocatedBytes += bytes;
      const going = this.#tree.goingWith(id, references);
      for (const gone of going) cost.freesNowBytes += files.allocatedBytes(fileName(gone));
      if (going.length === 0) cost.freesLaterBytes += await mergedAway(this.#tree, files, id, this.#turn);
    }
    return cost;
  }

  /** Where two moments differ, on every disk that both have; null is Now. */
  async compare(
    from: MomentId | null,
    to: MomentId | null,
  ): Promise<{ diskId: DiskId; difference: PointDifference }[]> {
    const found = [];
    for (const { id, files } of this.#disks.values()) {
      const [a, b] = [this.#view(from, files), this.#view(to, files)];
      if (a === null || b === null) continue;
      const { blockBytes } = files.row;
      const virtualBytes = Math.max(this.#size(from, files), this.#size(to, files));
      found.push({
        diskId: id,
        difference: await difference([a, b], { virtualBytes, blockBytes }, this.#turn),
      });
    }
    return found;
  }

  /** The points that a comparison of these moments reads, without Now. Fault moment.not-found. */
  pointsOf(...moments: readonly (MomentId | null)[]): PointId[] {
    return moments.flatMap(id => (id === null ? [] : this.#points(id).map(point => point.id)));
  }

  #points(momentId: MomentId): PointRow[] {
    if (this.#tree.moment(momentId) === undefined) throw noPoint(momentId);
    return this.#tree.pointsOf(momentId);
  }

  #view(momentId: MomentId | null, files: DiskFiles): View | null {
    if (momentId === null) return files.now;
    const point = this.#pointOn(momentId, files);
    return point === undefined ? null : files.view(point.id);
  }

  #pointOn(momentId: MomentId, files: DiskFiles): PointRow | undefined {
    return this.#points(momentId).find(row => row.diskId === files.row.id);
  }

  /**
   * T4: each point has its own size; what the larger has behind the smaller one's end counts as different.
   */
  #size(momentId: MomentId | null, files: DiskFiles): number {
    const { id } = files.row;
    const point = momentId === null ? undefined : this.#pointOn(momentId, files);
    return this.#tree.sizeOf(files.row, point?.id ?? this.#tree.disk(id)?.leaf ?? files.row.leaf);
  }
}

/** Bytes that the point and the only image hanging off it both have; 0 where it must stay. Holes are 0. */
async function mergedAway(
  tree: Tree,
  files: DiskFiles,
  id: PointId,
  turn: () => Promise<void>,
): Promise<number> {
  const [child, ...others] = tree.points.filter(({ parent }) => parent === id);
  const { id: diskId } = files.row;
  // While an edge is turned or a merge is under way, names change hands.
  const isMoving = tree.reversalOf(diskId) !== undefined || tree.mergeOf(diskId) !== undefined;
  const isUsed = tree.disk(diskId)?.leafParent === id;
  if (child === undefined || others.length > 0 || isUsed || isMoving) return 0;
  const [own, next] = [files.image(fileName(id), id), files.image(fileName(child.id), child.id)];
  let bytes = 0;
  for (let block = 0; block < own.blockCount; block++) {
    if (block % BLOCKS_PER_TURN === 0) await turn();
    if (!own.has(block) || !next.has(block)) continue;
    await turn();
    const [units, { sums }] = [next.units(block), readPage(own, block)];
    const isFreed = (unit: number, index: number): boolean =>
      (unit & (units[index] ?? 0)) !== 0 && sums.units[index] !== zeroSum(block * own.unitsPerBlock + index);
    bytes += own.units(block).filter(isFreed).length * UNIT_BYTES;
  }
  return bytes;
}

/** Where two points may differ: units from different images, also those rewritten with the same content. */
async function difference(
  [a, b]: readonly [View, View],
  { virtualBytes, blockBytes }: { readonly virtualBytes: number; readonly blockBytes: number },
  turn: () => Promise<void>,
): Promise<PointDifference> {
  const ranges: { offset: number; length: number }[] = [];
  let [bytes, isTruncated] = [0, false];
  const add = (offset: number, length: number): void => {
    bytes += length;
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else if (ranges.length < RANGES_MAX) ranges.push({ offset, length });
    else isTruncated = true;
  };
  const unitsPerBlock = blockBytes / UNIT_BYTES;
  for (let block = 0; block * blockBytes < virtualBytes; block++) {
    if (block % BLOCKS_PER_TURN === 0) await turn();
    const [first, second] = [a.peek(block), b.peek(block)];
    if (first === second) continue;
    for (let unit = 0; unit < unitsPerBlock; unit++) {
      const offset = block * blockBytes + unit * UNIT_BYTES;
      if (offset >= virtualBytes) break;
      if (ownerOf(first, unit) !== ownerOf(second, unit))
        add(offset, Math.min(UNIT_BYTES, virtualBytes - offset));
    }
  }
  return { bytes, ranges, isTruncated };
}
