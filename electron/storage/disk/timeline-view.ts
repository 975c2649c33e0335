// The engine's state as shared/timeline.ts speaks of it. Pure reading.
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { Moment, Reversal, Timeline } from '../../../shared/timeline.ts';
import type { Disk } from './disk.ts';
import { fileName } from './disk-files.ts';
import type { SettleStatus } from './settler.ts';
import type { MomentRow } from './state.ts';
import type { Tree } from './tree.ts';

function describeMoment(row: MomentRow, tree: Tree, disks: ReadonlyMap<DiskId, Disk>): Moment {
  const points = tree.pointsOf(row.id).map(point => ({
    diskId: point.diskId,
    pointId: point.id,
    form: point.parent === null ? ('root' as const) : ('delta' as const),
    allocatedBytes: disks.get(point.diskId)?.files.allocatedBytes(fileName(point.id)) ?? 0,
  }));
  const allocatedBytes = points.reduce((sum, point) => sum + point.allocatedBytes, 0);
  const kept = tree.keptBecause(row.id);
  return {
    ...row,
    points,
    allocatedBytes,
    freesBytes: kept === null ? allocatedBytes : null,
    keptBecause: kept?.why ?? null,
  };
}

function describeReversal(status: SettleStatus, tree: Tree): Reversal | null {
  if (status.active === null) return null;
  const { op, progress, bytesPerSecond } = status.active;
  const [from, to] = [tree.point(op.root)?.momentId, tree.point(op.child)?.momentId];
  if (from === undefined || to === undefined) return null;
  return { ...progress, diskId: op.diskId, fromMomentId: from, toMomentId: to, bytesPerSecond };
}

export function describeTimeline(
  vmId: VmId,
  tree: Tree,
  disks: ReadonlyMap<DiskId, Disk>,
  status: SettleStatus,
): Timeline {
  const all = [...disks.values()];
  const moments = tree.moments.map(row => describeMoment(row, tree, disks));
  const leafBytes = all.reduce((sum, disk) => sum + disk.leafImage.file.allocatedBytes(), 0);
  const pendingEdges = tree.disks.reduce((sum, disk) => sum + (tree.nextEdge(disk)?.pending ?? 0), 0);
  return {
    vmId,
    disks: all.map(disk => ({
      id: disk.id,
      virtualBytes: disk.files.row.virtualBytes,
      allocatedBytes:
        disk.leafImage.file.allocatedBytes() +
        moments
          .flatMap(moment => moment.points)
          .reduce((sum, point) => sum + (point.diskId === disk.id ? point.allocatedBytes : 0), 0),
      depth: disk.files.now.depth,
      poisoned: disk.files.poison(),
    })),
    moments,
    nowParentId: tree.nowMoment,
    nowBytes: leafBytes,
    settle: {
      state: status.state,
      pendingEdges,
      reversal: describeReversal(status, tree),
      last: status.last,
      reason: status.reason,
    },
    freeBytes: all[0]?.files.folder.freeBytes() ?? 0,
  };
}
