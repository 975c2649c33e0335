// New leaves for a VM's disks, all at one barrier: taking a moment (T6) and going back to one (T7). Whatever
// can fail (files, space) is done before the transaction; what follows it only swaps leaves in memory.
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { Fault, invariant } from '../../../shared/result.ts';
import type { Disk } from './disk.ts';
import { isUncertain } from './engine-faults.ts';
import { type Change, type DiskRow, drop, type MomentRow, type PointRow, put, type TakeOp } from './state.ts';
import type { Tree } from './tree.ts';

export interface TakePorts {
  readonly tree: Tree;
  readonly disks: ReadonlyMap<DiskId, Disk>;
  readonly newPointId: () => PointId;
  readonly nowMs: () => number;
}

interface NewLeaf {
  readonly disk: Disk;
  readonly leaf: PointId;
  readonly parent: PointId;
  readonly virtualBytes: number;
}

/**
 * Makes a leaf for every disk that gets a parent, then commits. On failure it discards them (T14: unless the
 * commit may have happened).
 */
async function withNewLeaves(
  ports: TakePorts,
  plan: (disk: Disk) => Pick<NewLeaf, 'parent' | 'virtualBytes'> | undefined,
  commit: (leaves: readonly NewLeaf[]) => void | Promise<void>,
): Promise<NewLeaf[]> {
  const leaves: NewLeaf[] = [];
  try {
    for (const disk of ports.disks.values()) {
      const planned = plan(disk);
      if (planned === undefined) continue;
      const leaf = ports.newPointId();
      leaves.push({ disk, leaf, ...planned });
      await disk.prepareLeaf(leaf, planned.parent, planned.virtualBytes, ports.nowMs());
    }
    await commit(leaves);
    return leaves;
  } catch (cause) {
    if (!isUncertain(cause)) for (const { disk, leaf } of leaves) await disk.discardLeaf(leaf);
    throw cause;
  }
}

export type TakeWhat = [
  moment: MomentRow | null,
  origins?: TakeOp['origins'],
  grown?: ReadonlyMap<DiskId, number>,
];

/**
 * T6: new leaves are made and recorded, then in one tick every disk writes to its new one. Nothing is copied.
 * `grown`: the sizes that disks have from then on; a take without a moment then leaves the other disks alone.
 */
export async function beginTake(
  ports: TakePorts,
  ...[moment, origins = [], grown = new Map()]: TakeWhat
): Promise<TakeOp> {
  let op: TakeOp | null = null;
  const made = await withNewLeaves(
    ports,
    disk => {
      const isLeft = grown.size > 0 ? !grown.has(disk.id) : disk.isLeafBlank;
      if (moment === null && isLeft) return undefined;
      return { parent: disk.leafId, virtualBytes: grown.get(disk.id) ?? disk.virtualBytes };
    },
    leaves => {
      const entries = leaves.map(({ disk, leaf, virtualBytes }) =>
        grown.has(disk.id) ? { diskId: disk.id, leaf, virtualBytes } : { diskId: disk.id, leaf },
      );
      op = { kind: 'take', id: 'take', moment, leaves: entries, origins: [...origins] };
      ports.tree.commit([put('op', op)]);
    },
  );
  for (const { disk, leaf } of made) disk.switchLeaf(leaf);
  invariant(op !== null, 'a take without its record');
  return op;
}

/**
 * The old leaves are flushed and become points, in one transaction. Recovery uses this, too, and so does the
 * retry of a take that a full disk stopped: a recorded take is completed, its barrier reached or not.
 */
export async function finishTake({ tree, disks }: TakePorts, op: TakeOp): Promise<void> {
  const changes: Change[] = [drop('op', op.id)];
  const momentId = op.moment?.id ?? null;
  if (op.moment !== null)
    changes.push(put('moment', op.moment), put('now', { id: 'now', momentId: op.moment.id }));
  const sealed: (() => Promise<void>)[] = [];
  for (const { diskId, leaf, virtualBytes } of op.leaves) {
    const disk = disks.get(diskId);
    const row = tree.disk(diskId);
    invariant(disk !== undefined && row !== undefined, `a take of disk ${diskId}, which is not there`);
    sealed.push(await disk.sealUnder(leaf));
    const origin = op.origins.find(row => row.diskId === diskId)?.uuid ?? null;
    changes.push(put('point', { ...sealedRow(row, momentId), origin }));
    changes.push(
      put('disk', { ...row, leaf, leafParent: row.leaf, virtualBytes: virtualBytes ?? row.virtualBytes }),
    );
    // T4: points of an older Ebb have no size of their own: they get the size the disk had until now.
    if (virtualBytes !== undefined) changes.push(...tree.withSizes(row));
  }
  tree.commit(changes);
  // In memory all disks change in the tick of the commit; a run file that cannot go is swept when the folder
  // is opened.
  const dropped = await Promise.allSettled(sealed.map(done => done()));
  for (const one of dropped)
    if (one.status === 'rejected' && !(one.reason instanceof Fault)) throw one.reason;
}

/** The point that a disk's leaf becomes. */
const sealedRow = ({ id, leaf, leafParent, virtualBytes }: DiskRow, momentId: MomentId | null): PointRow => ({
  id: leaf,
  diskId: id,
  momentId,
  parent: leafParent,
  virtualBytes,
  sums: false,
  origin: null,
});

export interface GoBack {
  readonly momentId: MomentId;
  readonly keepName: string;
  /** The id of the branch that keeps the present; a going back with the same id is not done again. */
  readonly orderId?: MomentId | undefined;
}

/** T7: changes since the last moment become the branch `kept`; Now becomes a new leaf on the target. */
export async function goBackTo(ports: TakePorts, target: MomentRow, kept: MomentRow): Promise<void> {
  const { tree, disks } = ports;
  const points = tree.pointsOf(target.id);
  for (const disk of disks.values()) await disk.flush();
  // T3: opens what Now is to read before anything says that Now reads it.
  for (const { diskId, id } of points) disks.get(diskId)?.files.layersOf(id);
  const isChanged = [...disks.values()].some(disk => !disk.isLeafBlank || restedOn(tree, disk.id) !== null);
  const made = await withNewLeaves(
    ports,
    // A disk added after the moment was taken stays as it is.
    disk => {
      const parent = points.find(point => point.diskId === disk.id)?.id;
      // Now is as it was then, and as large.
      return parent && { parent, virtualBytes: tree.sizeOf(disk.files.row, parent) };
    },
    async leaves => {
      try {
        // T5: leaves that will be dropped are sealed, too, so that the headers know one leaf only.
        for (const { disk } of leaves) await disk.seal();
        tree.commit(goBackChanges(tree, leaves, { target, kept: isChanged ? kept : null, order: kept.id }));
      } catch (cause) {
        if (!isUncertain(cause)) for (const { disk } of leaves) await disk.unseal();
        throw cause;
      }
    },
  );
  for (const { disk, leaf } of made) await disk.adoptLeaf(leaf);
}

/** T17: the point without a moment that Now rests on; null where Now grows from the point of a moment. */
function restedOn(tree: Tree, diskId: DiskId): PointRow | null {
  const parent = tree.disk(diskId)?.leafParent ?? null;
  const point = parent === null ? undefined : tree.point(parent);
  return point?.momentId === null ? point : null;
}

function goBackChanges(
  tree: Tree,
  leaves: readonly NewLeaf[],
  { target, kept, order }: { target: MomentRow; kept: MomentRow | null; order: MomentId },
): Change[] {
  const changes: Change[] = [put('now', { id: 'now', momentId: target.id, wentBackBy: order })];
  if (kept !== null) changes.push(put('moment', kept));
  for (const { disk, leaf, parent, virtualBytes } of leaves) {
    const row: DiskRow = tree.disk(disk.id) ?? disk.files.row;
    const rested = disk.isLeafBlank ? restedOn(tree, disk.id) : null;
    const momentId = kept?.id ?? null;
    if (momentId === null || rested !== null) changes.push(put('unlink', { id: row.leaf, diskId: disk.id }));
    else changes.push(put('point', sealedRow(row, momentId)));
    if (momentId !== null && rested !== null) changes.push(put('point', { ...rested, momentId }));
    changes.push(put('disk', { ...row, leaf, leafParent: parent, virtualBytes }));
  }
  return changes;
}
