// The lines of a timeline: where a branch ends, and where it leaves the line of Now. Pure.
import type { MomentId } from './ids.ts';
import type { Moment, Timeline } from './timeline.ts';

export interface Branch {
  /** The newest moment of the line; null: Now itself, which grows from `fromId`. */
  readonly tip: Moment | null;
  /** The moment it shares with the line of Now; null where it shares none. */
  readonly fromId: MomentId | null;
  /** Moments of its own, the tip included. */
  readonly moments: number;
}

/** The line of Now first, then every other, newest tip first. Iterative (T15). */
export function branchesOf({ moments, nowParentId }: Pick<Timeline, 'moments' | 'nowParentId'>): Branch[] {
  const byId = new Map(moments.map(moment => [moment.id, moment]));
  const onNow = new Set<MomentId>();
  for (let id = nowParentId; id !== null && !onNow.has(id); id = byId.get(id)?.parentId ?? null)
    onNow.add(id);
  const hasChildren = new Set(moments.map(({ parentId }) => parentId));
  const tips = moments
    .filter(({ id }) => !hasChildren.has(id) && !onNow.has(id))
    .sort((a, b) => b.takenAt - a.takenAt);
  const others = tips.map(tip => {
    const own = new Set<MomentId>();
    let id: MomentId | null = tip.id;
    for (; id !== null && !onNow.has(id) && !own.has(id); id = byId.get(id)?.parentId ?? null) own.add(id);
    return { tip, fromId: id, moments: own.size };
  });
  return [{ tip: null, fromId: nowParentId, moments: onNow.size }, ...others];
}
