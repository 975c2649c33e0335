// Describes the engine's state in the words of shared/timeline.ts. Pure reading.
import type { DiskId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, Reversal, SettleWork, Timeline } from '../../../shared/timeline.ts';
import type { Disk } from './disk.ts';
import { fileName } from './disk-files.ts';
import type { SettleStatus } from './settler.ts';
import type { MomentRow } from './state.ts';
import type { Tree } from './tree.ts';

function describeMoment(
  row: MomentRow,
  tree: Tree,
  disks: ReadonlyMap<DiskId, Disk>,
  references: ReadonlyMap<PointId, number>,
): Moment {
  const sizeOf = (diskId: DiskId, ids: readonly PointId[]): number =>
    ids.reduce((sum, id) => sum + (disks.get(diskId)?.files.allocatedBytes(fileName(id)) ?? 0), 0);
  const points = tree.pointsOf(row.id).map(point => ({
    diskId: point.diskId,
    pointId: point.id,
    virtualBytes: disks.get(point.diskId)?.sizeOf(point.id) ?? 0,
    form: point.parent === null ? ('root' as const) : ('delta' as const),
    allocatedBytes: sizeOf(point.diskId, [point.id]),
  }));
  const allocatedBytes = points.reduce((sum, point) => sum + point.allocatedBytes, 0);
  const going = points.map(({ pointId }) => tree.goingWith(pointId, references));
  const isLoose = going.every(ids => ids.length > 0);
  return {
    ...row,
    parentId: tree.liveMoment(row.parentId),
    points,
    allocatedBytes,
    freesBytes: isLoose
      ? points.reduce((sum, { diskId }, index) => sum + sizeOf(diskId, going[index] ?? []), 0)
      : null,
    keptBecause: row.pinned ? 'It is pinned.' : null,
  };
}

function describeReversal(status: SettleStatus, tree: Tree): Reversal | null {
  const op = status.active?.op ?? null;
  if (status.active === null || op === null || op.kind === 'merge' || op.kind === 'compact') return null;
  const { progress, bytesPerSecond } = status.active;
  const [from, to] = [tree.point(op.root)?.momentId ?? null, tree.point(op.child)?.momentId ?? null];
  if (from === null || to === null) return null;
  return { ...progress, diskId: op.diskId, fromMomentId: from, toMomentId: to, bytesPerSecond };
}

function describeWork({ active }: SettleStatus): SettleWork | null {
  if (active === null) return null;
  const { op, diskId, progress, bytesPerSecond } = active;
  const kind =
    op === null ? 'checksum' : op.kind === 'copy' || op.kind === 'flip' ? ('reversal' as const) : op.kind;
  const { bytesDone, bytesTotal } = progress;
  return { kind, diskId, bytesDone, bytesTotal, bytesPerSecond };
}

/** 0 where the host does not tell which files there are: the figure is only displayed. */
function depthOf({ files, isLeafEmpty }: Disk): number {
  try {
    const { depth } = files.now;
    return depth - (isLeafEmpty && depth > 1 ? 1 : 0);
  } catch (cause) {
    if (cause instanceof Fault) return 0;
    throw cause;
  }
}

/** Bytes written since the newest moment on Now's line: leaf, and points without a moment below it (T17). */
function bytesSince(tree: Tree, disk: Disk): number {
  const { files } = disk;
  const leafBytes = disk.leafImage.file.allocatedBytes();
  const below = tree.disk(disk.id)?.leafParent ?? null;
  const nowMoment = tree.liveMoment(tree.nowMoment);
  const from = tree.points.find(({ diskId, momentId }) => diskId === disk.id && momentId === nowMoment)?.id;
  if (below === null || from === undefined || below === from) return leafBytes;
  // Before its edge is turned the newer image has what changed; afterwards the older one has what was there
  // before.
  const forward = tree.pathToRoot(below);
  const backward = tree.pathToRoot(from);
  const path = forward.includes(from)
    ? forward.slice(0, forward.indexOf(from))
    : backward.slice(0, Math.max(0, backward.indexOf(below)));
  return path.reduce((sum, id) => sum + files.allocatedBytes(fileName(id)), leafBytes);
}

export function describeTimeline(
  vmId: VmId,
  tree: Tree,
  disks: ReadonlyMap<DiskId, Disk>,
  status: SettleStatus,
): Timeline {
  const all = [...disks.values()];
  const references = tree.references();
  const moments = tree.moments.map(row => describeMoment(row, tree, disks, references));
  const nowBytes = all.reduce((sum, disk) => sum + bytesSince(tree, disk), 0);
  const pendingEdges = tree.disks.reduce((sum, disk) => sum + (tree.nextEdge(disk)?.pending ?? 0), 0);
  return {
    vmId,
    disks: all.map(disk => ({
      id: disk.id,
      virtualBytes: disk.virtualBytes,
      allocatedBytes:
        disk.leafImage.file.allocatedBytes() +
        tree.points
          .filter(point => point.diskId === disk.id)
          .reduce((sum, point) => sum + disk.files.allocatedBytes(fileName(point.id)), 0),
      depth: depthOf(disk),
      poisoned: disk.poison,
    })),
    moments: moments.filter(moment => moment.trashedAt === null),
    trash: moments.filter(moment => moment.trashedAt !== null),
    nowParentId: tree.liveMoment(tree.nowMoment),
    nowBytes,
    settle: {
      state: status.state,
      isPaused: status.isPaused,
      isHeld: status.isHeld,
      pendingEdges,
      work: describeWork(status),
      reversal: describeReversal(status, tree),
      compact: status.compact,
      last: status.last,
      reason: status.reason,
    },
    freeBytes: all[0]?.files.folder.freeBytes() ?? 0,
  };
}
