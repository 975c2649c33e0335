import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layTimeline, NOW } from '../../../../renderer/view/timeline-layout.ts';
import {
  clipLayout,
  filterPoints,
  type PointFilter,
  rowWindow,
  ZOOMS,
  zoomed,
} from '../../../../renderer/view/timeline-view.ts';
import type { MomentId } from '../../../../shared/ids.ts';
import type { Moment, Timeline } from '../../../../shared/timeline.ts';
import { SETTLE_AT_REST } from '../../../support/settle-at-rest.ts';

const id = (index: number): MomentId => `m${index}` as MomentId;
interface Wish {
  readonly parent: number | null;
  readonly pinned: boolean;
  readonly named: boolean;
}
const moment = (wish: Wish, index: number): Moment => ({
  id: id(index),
  parentId: wish.parent === null ? null : id(wish.parent),
  name: wish.named ? `n${index}` : '',
  note: '',
  kind: wish.named ? 'manual' : 'automatic',
  pinned: wish.pinned,
  takenAt: 1_000_000 + index * 3_600_000,
  trashedAt: null,
  points: [],
  allocatedBytes: 1,
  freesBytes: 1,
  keptBecause: null,
});
const timelineOf = (wishes: readonly Wish[], nowParent: number | null): Timeline => ({
  vmId: 'v' as Timeline['vmId'],
  disks: [],
  moments: wishes.map(moment),
  trash: [],
  nowParentId: nowParent === null ? null : id(nowParent),
  nowBytes: 0,
  settle: SETTLE_AT_REST,
  freeBytes: 0,
});
const trees = fc
  .array(fc.tuple(fc.nat(), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 40 })
  .map(rows =>
    timelineOf(
      rows.map(([parent, pinned, named], index) => ({
        parent: index === 0 ? null : parent % index,
        pinned,
        named,
      })),
      rows.length - 1,
    ),
  );

/** The nearest ancestor that passes, looked for one step at a time. */
function nearest(timeline: Timeline, from: MomentId | null, kept: ReadonlySet<string>): MomentId | null {
  let at = from;
  while (at !== null && !kept.has(at)) at = timeline.moments.find(other => other.id === at)?.parentId ?? null;
  return at;
}

describe('the points shown', () => {
  it('are those that pass, each hanging off the nearest that does; so is Now', () => {
    fc.assert(
      fc.property(trees, fc.constantFrom<PointFilter>('named', 'pinned'), (timeline, filter) => {
        const shown = filterPoints(timeline, filter);
        const kept = new Set<string>(
          timeline.moments
            .filter(other => other.pinned || (filter === 'named' && other.name !== ''))
            .map(other => other.id),
        );
        expect(new Set<string>(shown.moments.map(other => other.id))).toEqual(kept);
        for (const other of shown.moments) {
          const was = timeline.moments.find(one => one.id === other.id)?.parentId ?? null;
          expect(other.parentId).toBe(nearest(timeline, was, kept));
        }
        expect(shown.nowParentId).toBe(nearest(timeline, timeline.nowParentId, kept));
      }),
    );
  });

  it('do not hang where parents go round in a ring', () => {
    const ring = timelineOf(
      [
        { parent: 1, pinned: false, named: false },
        { parent: 0, pinned: false, named: false },
      ],
      0,
    );
    expect(filterPoints(ring, 'pinned')).toMatchObject({ moments: [], nowParentId: null });
  });

  it('are filtered in one pass over 5,000 in one line (T15)', () => {
    const line = timelineOf(
      Array.from({ length: 5000 }, (_, index) => ({
        parent: index === 0 ? null : index - 1,
        pinned: index === 3,
        named: false,
      })),
      4999,
    );
    expect(filterPoints(line, 'pinned')).toMatchObject({ moments: [{ parentId: null }], nowParentId: 'm3' });
  });
});

describe('zoom', () => {
  it('goes by its steps and stops at both ends', () => {
    expect(zoomed(1, 1)).toBe(2);
    expect(zoomed(ZOOMS.at(-1) ?? 0, 1)).toBe(ZOOMS.at(-1));
    expect(zoomed(ZOOMS[0] ?? 0, -1)).toBe(ZOOMS[0]);
  });

  it('widens every step alike', () => {
    const line = timelineOf(
      [0, 1, 2].map(index => ({ parent: index === 0 ? null : index - 1, pinned: false, named: true })),
      2,
    );
    const gap = (zoom: number): number => {
      const { nodes } = layTimeline(line, { now: 30_000_000, width: 800, zoom });
      return (nodes[1]?.x ?? 0) - (nodes[0]?.x ?? 0);
    };
    expect(gap(4) / gap(2)).toBeCloseTo(2);
  });
});

describe('what is drawn of a long timeline', () => {
  const line = timelineOf(
    Array.from({ length: 400 }, (_, index) => ({
      parent: index === 0 ? null : index - 1,
      pinned: false,
      named: false,
    })),
    399,
  );
  const layout = layTimeline(line, { now: 1_000_000 + 400 * 3_600_000, width: 900 });

  it('is what is in sight, with every edge that passes through', () => {
    const clip = clipLayout(layout, 5000, 6000, NOW);
    expect(clip.nodes.filter(node => node.id !== NOW).every(node => node.x >= 5000 && node.x <= 6000)).toBe(
      true,
    );
    const inSight = new Set(clip.nodes.map(node => node.id));
    for (const edge of layout.edges)
      if (inSight.has(edge.to) && edge.to !== NOW)
        expect(clip.edges.some(other => other.to === edge.to)).toBe(true);
  });

  it('always holds the chosen point: the active option of a list must be there', () => {
    expect(clipLayout(layout, 0, 500, 'm300').nodes.map(node => node.id)).toContain('m300');
  });
});

describe('the rows in the page', () => {
  it('cover what is in sight, and stand where they would if all were drawn', () => {
    fc.assert(
      fc.property(fc.nat(6000), fc.nat(250_000), fc.integer({ min: 40, max: 1200 }), (count, top, view) => {
        const scrollTop = Math.min(top, Math.max(0, count * 36 - view));
        const { first, last, above, below } = rowWindow(count, 36, scrollTop, view);
        expect(above).toBe(first * 36);
        expect(above + (last - first) * 36 + below).toBe(count * 36);
        expect(first * 36).toBeLessThanOrEqual(scrollTop);
        expect(last * 36).toBeGreaterThanOrEqual(Math.min(count * 36, scrollTop + view));
        expect(last - first).toBeLessThanOrEqual(Math.ceil(view / 36) + 24);
      }),
    );
  });
});
