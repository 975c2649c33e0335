// Points in the window: their names, and which of them comparing and exporting an update begin with. Pure.
import type { MomentId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';

export const momentOf = (timeline: Timeline, id: string | null): Moment | null =>
  timeline.moments.find(moment => moment.id === id) ?? null;

export const newestFirst = (moments: readonly Moment[]): Moment[] =>
  [...moments].sort((a, b) => b.takenAt - a.takenAt);

/** The point that a comparison with Now opens with: the chosen one, else the one Now grows from. */
export const firstCompared = (timeline: Timeline, chosen: Moment | null): Moment | null =>
  chosen ?? momentOf(timeline, timeline.nowParentId) ?? newestFirst(timeline.moments)[0] ?? null;

/** The points an update opens with: the chosen one and the one before it. Null: one point makes no update. */
export function firstUpdate(
  timeline: Timeline,
  chosen: Moment | null,
): { readonly fromId: MomentId; readonly toId: MomentId } | null {
  const to = firstCompared(timeline, chosen);
  if (to === null) return null;
  const from =
    momentOf(timeline, to.parentId) ?? newestFirst(timeline.moments).find(({ id }) => id !== to.id);
  return from === undefined || from === null ? null : { fromId: from.id, toId: to.id };
}

/** The newest moment that was not there before; null: none. */
export const addedMoment = (before: ReadonlySet<string>, timeline: Timeline): Moment | null =>
  newestFirst(timeline.moments).find(({ id }) => !before.has(id)) ?? null;

interface Names {
  readonly history: { readonly unnamed: string };
  readonly automatic: { readonly point: string };
}
/** The point's name; one without a name is called by its kind. */
export const pointName = (
  { name, kind }: Pick<Moment, 'name'> & { readonly kind?: Moment['kind'] },
  { history, automatic }: Names,
): string => (name !== '' ? name : kind === 'automatic' ? automatic.point : history.unnamed);
