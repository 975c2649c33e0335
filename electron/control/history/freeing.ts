// How many bytes dropping several points together gives back. Pure. A point's image is unlinked at once when
// all images that hang off it are dropped too; any other image is merged into its neighbour later (T8). At
// rest every image hangs off its neighbour on the way to the newest image. The trash counts as emptied,
// because dropped points go there.
import type { Frees } from '../../../shared/history.ts';
import type { MomentId } from '../../../shared/ids.ts';
import type { Moment } from '../../../shared/timeline.ts';
import type { Line } from './retain.ts';

/** For each moment, the one its image hangs off: its neighbour towards the newest. Iterative (T15). */
function towardsNewest({ moments, nowParentId }: Line): Map<MomentId, MomentId> {
  const beside = new Map<MomentId, MomentId[]>(moments.map(({ id }) => [id, []]));
  for (const { id, parentId } of moments) {
    if (parentId === null || !beside.has(parentId)) continue;
    beside.get(id)?.push(parentId);
    beside.get(parentId)?.push(id);
  }
  const isRoot = ({ points }: Moment): boolean => points.some(({ form }) => form === 'root');
  const newest = moments.find(isRoot)?.id ?? nowParentId;
  const towards = new Map<MomentId, MomentId>();
  const open = newest === null ? [] : [newest];
  const seen = new Set(open);
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const next of beside.get(id) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      towards.set(next, id);
      open.push(next);
    }
  return towards;
}

/**
 * For each moment in `order`: what dropping it and all moments before it in `order` frees. `mergedBytes`:
 * what merging a moment's image into its neighbour frees (moment.cost).
 */
export function freesInOrder(
  line: Line,
  order: readonly MomentId[],
  mergedBytes: (id: MomentId) => number,
): Frees[] {
  const byId = new Map(line.moments.map(moment => [moment.id, moment]));
  const towards = towardsNewest(line);
  const hanging = new Map<MomentId, number>();
  for (const to of towards.values()) hanging.set(to, (hanging.get(to) ?? 0) + 1);
  // Storage has the last word: nothing hangs off an image with `freesBytes`, also during a reversal.
  for (const { id, freesBytes } of line.moments) if (freesBytes !== null) hanging.delete(id);
  const dropped = new Set<MomentId>();
  const gone = new Set<MomentId>();
  let [freesNowBytes, freesLaterBytes] = [0, 0];
  return order.map(first => {
    if (!dropped.has(first) && byId.has(first)) freesLaterBytes += mergedBytes(first);
    dropped.add(first);
    // This image may have been the last that hung off its neighbour: if dropped, too, that one goes now.
    for (let id: MomentId | undefined = first; id !== undefined; id = towards.get(id)) {
      const moment = byId.get(id);
      if (moment === undefined || !dropped.has(id) || gone.has(id) || (hanging.get(id) ?? 0) > 0) break;
      gone.add(id);
      freesLaterBytes -= mergedBytes(id);
      freesNowBytes += moment.freesBytes ?? moment.allocatedBytes;
      const to = towards.get(id);
      if (to !== undefined) hanging.set(to, Math.max(0, (hanging.get(to) ?? 1) - 1));
    }
    return { freesNowBytes, freesLaterBytes };
  });
}
