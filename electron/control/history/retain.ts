// Decides which points retention drops: first those that no rule of age keeps, then the oldest ones while the
// quota is exceeded. Pure. Points that are not automatic, or are protected, are never dropped.
import type { Protection, Quota, Retention } from '../../../shared/history.ts';
import type { MomentId, PointId } from '../../../shared/ids.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import { dayKey, monthKey, weekKey, type Zone } from './calendar.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type Line = Pick<Timeline, 'moments' | 'nowParentId'>;

export interface Protected {
  readonly inUse: ReadonlySet<PointId>;
  /** Points that a person took back from the trash, and so wants to keep. */
  readonly spared: ReadonlySet<MomentId>;
}

const isPersons = ({ kind, name, note }: Moment): boolean =>
  kind !== 'automatic' || name !== '' || note !== '';

/** The points that retention never drops, each with its strongest reason. */
export function protections({ moments, nowParentId }: Line, given: Protected): Map<MomentId, Protection> {
  const children = new Map<MomentId, number>();
  const count = (id: MomentId | null): void => {
    if (id !== null) children.set(id, (children.get(id) ?? 0) + 1);
  };
  for (const { parentId } of moments) count(parentId);
  count(nowParentId);
  const found = new Map<MomentId, Protection>();
  for (const moment of moments) {
    const { id } = moment;
    const lines = children.get(id) ?? 0;
    const why: Protection | null = moment.pinned
      ? 'pinned'
      : moment.points.some(({ pointId }) => given.inUse.has(pointId))
        ? 'in-use'
        : id === nowParentId
          ? 'now'
          : lines > 1
            ? 'fork'
            : lines === 0
              ? 'tip'
              : isPersons(moment) || given.spared.has(id)
                ? 'person'
                : null;
    if (why !== null) found.set(id, why);
  }
  return found;
}

export interface Drop {
  readonly momentId: MomentId;
  readonly why: 'thinned' | 'quota';
}
export interface Retained {
  /** Oldest first. */
  readonly drop: readonly Drop[];
  readonly quota: Quota;
}

/** The newest point of each day (week, month), for the newest `most` days that have a point. */
function newestOfEach(newestFirst: readonly Moment[], most: number, keyOf: (at: number) => number): Moment[] {
  const seen = new Set<number>();
  return newestFirst.filter(({ takenAt }) => {
    const key = keyOf(takenAt);
    if (seen.has(key) || seen.size === most) return false;
    seen.add(key);
    return true;
  });
}

/** Automatic points that stay for their age, protected or not. */
function keptByAge(moments: readonly Moment[], keep: Retention, nowMs: number, zone: Zone): Set<MomentId> {
  const newestFirst = moments
    .filter(({ kind }) => kind === 'automatic')
    .sort((a, b) => b.takenAt - a.takenAt || (a.id < b.id ? 1 : -1));
  const kept = [
    ...newestFirst.filter(({ takenAt }) => takenAt > nowMs - keep.allHours * HOUR_MS),
    ...newestOfEach(newestFirst, keep.days, at => dayKey(at, zone)),
    ...newestOfEach(newestFirst, keep.weeks, at => weekKey(at, zone)),
    ...newestOfEach(newestFirst, keep.months, at => monthKey(at, zone)),
  ];
  return new Set(kept.map(({ id }) => id));
}

/** What a moment's images take, but for the newest (the root): that one is Now's, not the past's. */
const pastBytes = ({ points }: Moment): number =>
  points.reduce((sum, { form, allocatedBytes }) => sum + (form === 'root' ? 0 : allocatedBytes), 0);

export function oldestFirst(moments: readonly Moment[]): Moment[] {
  return [...moments].sort((a, b) => a.takenAt - b.takenAt || (a.id < b.id ? -1 : 1));
}

export interface Limits {
  readonly keep: Retention;
  readonly quotaBytes: number | null;
  /** IT's: automatic points younger than this stay, whatever the quota says. */
  readonly heldDays: number;
}

export function retain(
  { moments, nowParentId }: Line,
  given: Protected,
  limits: Limits,
  nowMs: number,
  zone: Zone,
): Retained {
  const held = protections({ moments, nowParentId }, given);
  const aged = keptByAge(moments, limits.keep, nowMs, zone);
  const ordered = oldestFirst(moments);
  const why = new Map<MomentId, Drop['why']>();
  for (const { id } of ordered) if (!held.has(id) && !aged.has(id)) why.set(id, 'thinned');
  const usedBytes = moments.reduce((sum, moment) => sum + pastBytes(moment), 0);
  const { quotaBytes } = limits;
  let left = ordered.reduce((sum, moment) => sum + (why.has(moment.id) ? 0 : pastBytes(moment)), 0);
  const isYoung = ({ kind, takenAt }: Moment): boolean =>
    kind === 'automatic' && takenAt > nowMs - limits.heldDays * DAY_MS;
  // Counted is what a point takes, which is the most that it can free. If it frees less, too few points go
  // now and the next round drops more; too many never go.
  for (const moment of ordered) {
    if (quotaBytes === null || left <= quotaBytes) break;
    if (held.has(moment.id) || why.has(moment.id) || isYoung(moment) || pastBytes(moment) === 0) continue;
    why.set(moment.id, 'quota');
    left -= pastBytes(moment);
  }
  const overBytes = quotaBytes === null ? 0 : Math.max(0, left - quotaBytes);
  for (const moment of limits.heldDays > 0 ? moments : [])
    if (isYoung(moment) && !why.has(moment.id) && !held.has(moment.id)) held.set(moment.id, 'limit');
  const heldBy = overBytes === 0 ? [] : holders(moments, held);
  const drop = ordered.flatMap(({ id }) => {
    const reason = why.get(id);
    return reason === undefined ? [] : [{ momentId: id, why: reason }];
  });
  return { drop, quota: { quotaBytes, usedBytes, overBytes, heldBy } };
}

/** What keeps the points that remain once all others are gone, with the bytes they take; most bytes first. */
function holders(moments: readonly Moment[], held: ReadonlyMap<MomentId, Protection>): Quota['heldBy'] {
  const sums = new Map<Protection, number>();
  for (const moment of moments) {
    const by = held.get(moment.id);
    if (by !== undefined) sums.set(by, (sums.get(by) ?? 0) + pastBytes(moment));
  }
  return [...sums]
    .map(([by, bytes]) => ({ by, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}
