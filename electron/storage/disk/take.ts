// New leaves for a VM's disks, all at one barrier: taking a moment (T6) and going back to one (T7). Whatever can fail
// (files, space) is done before the transaction; what follows it only changes hands in memory.
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

/** A leaf for every disk that gets a parent, then the transaction; where either fails nothing is left of it (T14: unless it may have happened). */
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
 * `grown`: the sizes disks have from then on; without a moment the others are left alone.
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
 * What was the leaf is flushed and becomes the point, in one transaction. Recovery's way too, and the way of a take that
 * a full disk interrupted: once recorded it is completed, whether its barrier had been reached or not.
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
    // T4: what an older Ebb left out is what the disk was until now.
    if (virtualBytes !== undefined) changes.push(...tree.withSizes(row));
  }
  tree.commit(changes);
  // All change hands in the tick of the commit; a run file that cannot go is swept when the folder is opened.
  const dropped = await Promise.allSettled(sealed.map(done => done()));
  for (const one of dropped)
    if (one.status === 'rejected' && !(one.reason instanceof Fault)) throw one.reason;
}

/** What was a disk's leaf, as a point. */
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
  /** The id of the branch that keeps the present: a going back that is told again is done once. */
  readonly orderId?: MomentId | undefined;
}

/** T7: what changed since the last moment is kept as a branch, `kept`, whose id is the order's; Now becomes a new leaf on the chosen moment. */
export async function goBackTo(ports: TakePorts, target: MomentRow, kept: MomentRow): Promise<void> {
  const { tree, disks } = ports;
  const points = tree.pointsOf(target.id);
  for (const disk of disks.values()) await disk.flush();
  // T3: what Now is to read can be read, before anything says that it does.
  for (const { diskId, id } of points) disks.get(diskId)?.files.layersOf(id);
  const isChanged = [...disks.values()].some(disk => !disk.isLeafBlank || restedOn(tree, disk.id) !== null);
  const made = await withNewLeaves(
    ports,
    // A disk added after the moment was taken stays as it is.
    disk => {
      const parent = points.find(point => point.diskId === disk.id)?.id;
      // It is as it was then, and as large.
      return parent && { parent, virtualBytes: tree.sizeOf(disk.files.row, parent) };
    },
    async leaves => {
      try {
        // T5: also what is dropped, so that there is one leaf to the headers, too.
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

/** T17: the point nobody took that Now rests on; null where Now grows from a moment of somebody's. */
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
