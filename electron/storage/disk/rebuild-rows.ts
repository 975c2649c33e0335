// All rows of a VM's timeline from its rebuilt disks, with names from the mirror where it knows them. Pure.
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import type { Mirror } from './mirror.ts';
import type { RebuiltDisk } from './rebuild.ts';
import { type Change, type MomentRow, put, type TakeOp } from './state.ts';

export interface RebuildPorts {
  readonly newMomentId: () => MomentId;
  /** When the point began as a leaf, as its file says. */
  readonly startedMs: (diskId: DiskId, point: PointId) => number;
}

export interface Rebuilt {
  readonly changes: readonly Change[];
  readonly points: number;
  /** How many points the mirror did not know: they got names of their own. */
  readonly nameless: number;
}

export function rebuildRows(
  disks: ReadonlyMap<DiskId, RebuiltDisk & { readonly leaf: PointId }>,
  mirror: Mirror,
  ports: RebuildPorts,
): Rebuilt {
  const known = new Map(mirror.points.map(point => [point.id, point.momentId]));
  const origins = new Map(mirror.points.map(point => [point.id, point.origin]));
  const moments = new Map<MomentId, MomentRow>();
  const changes: Change[] = [];
  const momentOf = new Map<PointId, MomentId | null>();
  let nameless = 0;
  for (const [diskId, { points, ops }] of disks)
    for (const { id } of points) {
      // T8: only a point without a moment is merged away.
      if (ops.some(op => op.kind === 'merge' && op.point === id)) {
        momentOf.set(id, null);
        continue;
      }
      const remembered = rememberedMoment(id, known, mirror);
      if (remembered === undefined) nameless++;
      const row = remembered === undefined ? recovered(nameless, ports, diskId, id) : remembered;
      if (row !== null) moments.set(row.id, row);
      momentOf.set(id, row?.id ?? null);
    }
  const sorted = [...moments.values()].sort((a, b) => a.takenAt - b.takenAt);
  const parents = withoutCircles(new Map(sorted.map(row => [row.id, livingParent(row, moments, mirror)])));
  for (const row of sorted) changes.push(put('moment', { ...row, parentId: parents.get(row.id) ?? null }));
  for (const [id, disk] of disks) {
    const { virtualBytes, blockBytes, leaf, leafParent, points, ops } = disk;
    changes.push(put('disk', { id, virtualBytes, blockBytes, leaf, leafParent }));
    for (const point of points) {
      const momentId = momentOf.get(point.id) ?? null;
      const origin = origins.get(point.id) ?? null;
      changes.push(put('point', { ...point, diskId: id, momentId, sums: false, origin }));
    }
    for (const op of ops) changes.push(put('op', op));
  }
  const below = [...disks.values()].map(({ leafParent }) =>
    leafParent === null ? null : momentOf.get(leafParent),
  );
  const grownFrom = below.find(id => id !== null && id !== undefined) ?? null;
  const now = mirror.now !== null && moments.has(mirror.now) && grownFrom === null ? mirror.now : grownFrom;
  changes.push(put('now', { id: 'now', momentId: now }));
  const take = takeOf(disks, id => ({ ...recovered(++nameless, ports, id.diskId, id.leaf), parentId: now }));
  if (take !== null) changes.push(put('op', take));
  return { changes, points: momentOf.size, nameless };
}

/** T6: a take of all disks gets a moment. One of only some was at rest, or never recorded: it gets none. */
function takeOf(
  disks: ReadonlyMap<DiskId, RebuiltDisk & { readonly leaf: PointId }>,
  newMoment: (sealed: { readonly diskId: DiskId; readonly leaf: PointId }) => MomentRow,
): TakeOp | null {
  const sealed: { readonly diskId: DiskId; readonly leaf: PointId }[] = [];
  const leaves: TakeOp['leaves'] = [];
  for (const [diskId, { leaf, taking, virtualBytes }] of disks) {
    if (taking === null) continue;
    sealed.push({ diskId, leaf });
    const isGrown = taking.virtualBytes !== virtualBytes;
    leaves.push({ diskId, leaf: taking.leaf, ...(isGrown && { virtualBytes: taking.virtualBytes }) });
  }
  const [first] = sealed;
  if (first === undefined) return null;
  const moment = leaves.length === disks.size ? newMoment(first) : null;
  return { kind: 'take', id: 'take', moment, leaves, origins: [] };
}

/** Undefined: the mirror does not know the point. Null: it had no moment. */
function rememberedMoment(
  id: PointId,
  known: ReadonlyMap<PointId, MomentId | null>,
  { moments }: Mirror,
): MomentRow | null | undefined {
  const momentId = known.get(id);
  return momentId === null || momentId === undefined ? momentId : moments.find(row => row.id === momentId);
}

function recovered(count: number, ports: RebuildPorts, diskId: DiskId, id: PointId): MomentRow {
  return {
    id: ports.newMomentId(),
    parentId: null,
    name: `Recovered ${count}`,
    note: 'Found in the files of the disk; its name was lost.',
    kind: 'kept',
    pinned: false,
    takenAt: Math.max(0, ports.startedMs(diskId, id)),
    trashedAt: null,
  };
}

/** The nearest earlier moment that is still there. Iterative (T15). */
function livingParent(
  row: MomentRow,
  moments: ReadonlyMap<MomentId, MomentRow>,
  mirror: Mirror,
): MomentId | null {
  const seen = new Set<MomentId>([row.id]);
  for (let id = row.parentId; id !== null && !seen.has(id); ) {
    if (moments.has(id)) return id;
    seen.add(id);
    id = mirror.moments.find(moment => moment.id === id)?.parentId ?? null;
  }
  return null;
}

/** Cuts every circle of parents open at one place. Each moment is visited once (T15). */
function withoutCircles(parents: Map<MomentId, MomentId | null>): ReadonlyMap<MomentId, MomentId | null> {
  const ended = new Set<MomentId>();
  for (const first of parents.keys()) {
    const path = new Set<MomentId>();
    for (let id: MomentId | null = first; id !== null && !ended.has(id); ) {
      path.add(id);
      const next: MomentId | null = parents.get(id) ?? null;
      if (next !== null && path.has(next)) parents.set(id, null);
      id = parents.get(id) ?? null;
    }
    for (const id of path) ended.add(id);
  }
  return parents;
}
