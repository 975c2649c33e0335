// The view of a history: which points are shown, at what zoom, and which part is drawn. Pure.
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { TimelineLayout } from './timeline-layout.ts';

export const POINT_FILTERS = ['all', 'named', 'pinned'] as const;
export type PointFilter = (typeof POINT_FILTERS)[number];

export const ZOOMS: readonly number[] = [0.25, 0.5, 1, 2, 4, 8];
export function zoomed(zoom: number, steps: 1 | -1): number {
  const at = ZOOMS.indexOf(zoom);
  return ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + steps))] ?? zoom;
}

const passes = (moment: Moment, filter: PointFilter): boolean =>
  filter === 'all' ||
  moment.pinned ||
  (filter === 'named' && moment.name !== '' && moment.kind !== 'automatic');

/** Leaves out points that fail the filter; their children then hang off the nearest ancestor that passes. */
export function filterPoints(timeline: Timeline, filter: PointFilter): Timeline {
  if (filter === 'all') return timeline;
  const byId = new Map(timeline.moments.map(moment => [moment.id as string, moment]));
  const nearest = new Map<string, Moment['id'] | null>();
  const find = (id: Moment['id'] | null): Moment['id'] | null => {
    const passed: string[] = [];
    let found: Moment['id'] | null = null;
    for (let at = id; at !== null; ) {
      const moment = byId.get(at);
      found = nearest.get(at) ?? (moment !== undefined && passes(moment, filter) ? at : null);
      if (moment === undefined || found !== null || nearest.has(at)) break;
      // Marked before it is known, so that a ring of parents ends the search here.
      nearest.set(at, null);
      passed.push(at);
      at = moment.parentId;
    }
    for (const other of passed) nearest.set(other, found);
    return found;
  };
  return {
    ...timeline,
    moments: timeline.moments
      .filter(moment => passes(moment, filter))
      .map(moment => ({ ...moment, parentId: find(moment.parentId) })),
    nowParentId: find(timeline.nowParentId),
  };
}

/** The part between two places; the chosen point is always in it, because a screen reader is told of it. */
export function clipLayout(
  layout: TimelineLayout,
  from: number,
  to: number,
  chosenId: string,
): Pick<TimelineLayout, 'nodes' | 'edges' | 'days' | 'gaps'> {
  const xs = new Map(layout.nodes.map(node => [node.id, node.x]));
  const isIn = (x: number): boolean => x >= from && x <= to;
  return {
    nodes: layout.nodes.filter(node => isIn(node.x) || node.id === chosenId),
    edges: layout.edges.filter(edge => (xs.get(edge.from) ?? 0) <= to && (xs.get(edge.to) ?? 0) >= from),
    days: layout.days.filter(day => isIn(day.x)),
    gaps: layout.gaps.filter(gap => isIn(gap.x)),
  };
}

export interface RowWindow {
  readonly first: number;
  readonly last: number;
  /** Heights of the empty space that stands for rows not drawn. */
  readonly above: number;
  readonly below: number;
}
const ROWS_BEYOND = 12;

/** Which rows of a long table are drawn: `last` is one past the end. */
export function rowWindow(
  count: number,
  rowHeight: number,
  scrollTop: number,
  viewHeight: number,
): RowWindow {
  const most = Math.ceil(viewHeight / rowHeight) + 2 * ROWS_BEYOND;
  const first = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight) - ROWS_BEYOND, count - most));
  const last = Math.min(count, first + most);
  return { first, last, above: first * rowHeight, below: (count - last) * rowHeight };
}
