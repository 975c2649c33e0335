// Histories for tests of what may go: random trees, and a life of a VM told in points. Sizes are whole MiB.
import fc from 'fast-check';
import type { Line } from '../../electron/control/history/retain.ts';
import type { DiskId, MomentId, PointId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/timeline.ts';
import { MIB } from '../../shared/units.ts';

export const idOf = (index: number): MomentId =>
  `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}` as MomentId;
export const pointOf = (index: number): PointId =>
  `00000000-0000-4000-9000-${index.toString(16).padStart(12, '0')}` as PointId;
const DISK = '00000000-0000-4000-a000-000000000000' as DiskId;

export function momentOf(
  index: number,
  wish: Partial<Moment> & { readonly mib?: number; readonly isRoot?: boolean } = {},
): Moment {
  const { mib = 10, isRoot = false, ...given } = wish;
  const bytes = mib * MIB;
  return {
    id: idOf(index),
    parentId: null,
    name: '',
    note: '',
    kind: 'automatic',
    pinned: false,
    takenAt: 0,
    trashedAt: null,
    points: [
      {
        diskId: DISK,
        pointId: pointOf(index),
        virtualBytes: 1024 * MIB,
        form: isRoot ? 'root' : 'delta',
        allocatedBytes: bytes,
      },
    ],
    allocatedBytes: bytes,
    freesBytes: null,
    keptBecause: null,
    ...given,
  };
}

/** As storage tells it: a point nothing hangs off frees its file at once. The newest image is that of Now. */
export function told(line: Line): Line {
  const parents = new Map(line.moments.map(({ id, parentId }) => [id, parentId]));
  const towards = new Set<MomentId>();
  for (let id = line.nowParentId; id !== null; id = parents.get(id) ?? null) towards.add(id);
  const hasMore = new Set<MomentId>();
  for (const { id, parentId } of line.moments)
    if (parentId !== null) hasMore.add(towards.has(id) ? id : parentId);
  return {
    ...line,
    moments: line.moments.map(moment => ({
      ...moment,
      freesBytes: hasMore.has(moment.id) || moment.id === line.nowParentId ? null : moment.allocatedBytes,
    })),
  };
}

/** Without those: their children hang off their parents, as people see it. */
export function without(line: Line, gone: ReadonlySet<MomentId>): Line {
  const byId = new Map(line.moments.map(moment => [moment.id, moment]));
  const left = (id: MomentId | null): MomentId | null => {
    let at = id;
    while (at !== null && gone.has(at)) at = byId.get(at)?.parentId ?? null;
    return at;
  };
  const moments = line.moments
    .filter(({ id }) => !gone.has(id))
    .map(moment => ({ ...moment, parentId: left(moment.parentId) }));
  return told({ moments, nowParentId: left(line.nowParentId) });
}

const HOUR_MS = 3_600_000;
/** Where the newest of them stands. */
export const EPOCH = Date.UTC(2026, 5, 1);

/** Mostly one line, some branches, some points of a person's; in the months before EPOCH. */
export const lineArbitrary: fc.Arbitrary<Line> = fc
  .record({
    rows: fc.array(
      fc.record({
        back: fc.oneof(
          { weight: 8, arbitrary: fc.constant(1) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
        ),
        hours: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 400 })),
        kind: fc.constantFrom(
          'automatic',
          'automatic',
          'automatic',
          'automatic',
          'manual',
          'kept',
          'imported',
        ),
        name: fc.constantFrom('', '', '', '', '', 'before the update'),
        pinned: fc.constantFrom(false, false, false, false, true),
        mib: fc.integer({ min: 1, max: 400 }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
    now: fc.nat(59),
  })
  .map(({ rows, now }) => {
    let at = EPOCH - rows.reduce((sum, { hours }) => sum + hours * HOUR_MS, 0);
    const nowIndex = rows.length - 1 - (now < 45 ? 0 : now % rows.length);
    const moments = rows.map(({ back, hours, ...row }, index) => {
      at += hours * HOUR_MS;
      const parentId = index === 0 ? null : idOf(Math.max(0, index - back));
      return momentOf(index, {
        ...row,
        parentId,
        takenAt: at,
        isRoot: index === nowIndex,
      } as Partial<Moment>);
    });
    return told({ moments, nowParentId: idOf(nowIndex) });
  });
