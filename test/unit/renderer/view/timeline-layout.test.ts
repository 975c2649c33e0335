import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fitSteps,
  gapWidth,
  layTimeline,
  NOW,
  nodeRadius,
  type TimelineLayout,
} from '../../../../renderer/view/timeline-layout.ts';
import { walkTimeline } from '../../../../renderer/view/timeline-walk.ts';
import type { MomentId, VmId } from '../../../../shared/ids.ts';
import type { Moment, Timeline } from '../../../../shared/timeline.ts';
import { GIB, MIB } from '../../../../shared/units.ts';
import { SETTLE_AT_REST } from '../../../support/settle-at-rest.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 16, 8);
const now = START + 200 * HOUR;

const moment = (id: string, parentId: string | null, hours: number, more: Partial<Moment> = {}): Moment => ({
  id: id as MomentId,
  parentId: parentId as MomentId | null,
  name: '',
  note: '',
  kind: 'automatic',
  pinned: false,
  takenAt: START + hours * HOUR,
  trashedAt: null,
  points: [],
  allocatedBytes: 60 * MIB,
  freesBytes: 60 * MIB,
  keptBecause: null,
  ...more,
});

const timeline = (moments: readonly Moment[], nowParentId: string | null): Timeline => ({
  vmId: 'v' as VmId,
  disks: [],
  moments: [...moments],
  trash: [],
  nowParentId: nowParentId as MomentId | null,
  nowBytes: 0,
  settle: SETTLE_AT_REST,
  freeBytes: 0,
});

const lay = (moments: readonly Moment[], nowParentId: string | null, width = 900): TimelineLayout =>
  layTimeline(timeline(moments, nowParentId), { now, width });
const at = (layout: TimelineLayout, id: string) => {
  const node = layout.nodes.find(other => other.id === id);
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
};

const branched = [
  moment('a', null, 0),
  moment('b', 'a', 3),
  moment('x', 'b', 5),
  moment('y', 'x', 9, { name: 'try wayland', kind: 'manual' }),
  moment('c', 'b', 120),
  moment('z', 'c', 125, { kind: 'kept', name: 'kept' }),
  moment('d', 'c', 130),
];

describe('the layout of the timeline', () => {
  it('runs left to right in time, with Now at the right end of the top lane', () => {
    const layout = lay(branched, 'd');
    const byTime = [...branched].sort((a, b) => a.takenAt - b.takenAt).map(other => at(layout, other.id).x);
    expect([...byTime].sort((a, b) => a - b)).toEqual(byTime);
    expect(at(layout, NOW).x).toBe(Math.max(...layout.nodes.map(node => node.x)));
    expect(at(layout, NOW).lane).toBe(0);
  });

  it('keeps the line of Now on the top lane and drops branches below it', () => {
    const layout = lay(branched, 'd');
    expect(['a', 'b', 'c', 'd'].map(id => at(layout, id).lane)).toEqual([0, 0, 0, 0]);
    expect(at(layout, 'x').lane).toBeGreaterThan(0);
    expect(at(layout, 'y').lane).toBe(at(layout, 'x').lane);
  });

  it('T7: after going back the kept present becomes a branch and the chosen line the top lane', () => {
    const layout = lay(branched, 'y');
    expect(['a', 'b', 'x', 'y'].map(id => at(layout, id).lane)).toEqual([0, 0, 0, 0]);
    expect(at(layout, 'c').lane).toBeGreaterThan(0);
  });

  it('keeps a branch in its colour when a newer branch comes', () => {
    const before = at(lay(branched, 'd'), 'x').hue;
    const after = lay([...branched, moment('n', 'd', 140), moment('o', 'd', 141)], 'n');
    expect(at(after, 'x').hue).toBe(before);
    expect(at(after, 'x').hue).not.toBe(at(after, 'z').hue);
  });

  it('compresses long gaps and says so', () => {
    const layout = lay(branched, 'd');
    expect(layout.gaps).toHaveLength(2);
    expect(gapWidth(10_000 * HOUR)).toBeLessThan(gapWidth(HOUR) * 3);
  });

  it('draws more bytes larger, within limits', () => {
    expect(nodeRadius(2 * GIB)).toBeGreaterThan(nodeRadius(60 * MIB));
    expect(nodeRadius(4000 * GIB)).toBeLessThanOrEqual(11);
    expect(nodeRadius(0)).toBeGreaterThanOrEqual(4);
  });

  it('fills the room it has, squeezes before it scrolls, and never below what can be hit', () => {
    const steps = [44, 132, 60];
    const sum = (widths: readonly number[]): number => widths.reduce((total, width) => total + width, 0);
    expect(sum(fitSteps(steps, 400))).toBeCloseTo(400);
    expect(sum(fitSteps(steps, 4000))).toBeCloseTo(1062);
    expect(sum(fitSteps(steps, 180))).toBeCloseTo(180);
    expect(Math.min(...fitSteps(steps, 10))).toBe(36);
  });

  it('names are in rows over the line: none over another, none outside, a pinned one always', () => {
    const moments = fc
      .array(fc.record({ letters: fc.integer({ min: 1, max: 40 }), pinned: fc.boolean() }), { maxLength: 12 })
      .map(rows =>
        rows.map(({ letters, pinned }, index) =>
          moment(`m${index}`, index === 0 ? null : `m${index - 1}`, index, {
            name: 'n'.repeat(letters),
            kind: 'manual',
            pinned,
          }),
        ),
      );
    void fc.assert(
      fc.property(moments, fc.integer({ min: 320, max: 1600 }), (line, width) => {
        const layout = lay(line, line.at(-1)?.id ?? null, width);
        const spans = layout.nodes.flatMap(({ label }) =>
          label === null
            ? []
            : [
                {
                  y: label.y,
                  from: label.x - label.text.length * 3.15,
                  to: label.x + label.text.length * 3.15,
                },
              ],
        );
        for (const span of spans) {
          expect(span.from).toBeGreaterThanOrEqual(0);
          expect(span.to).toBeLessThanOrEqual(layout.width);
          // A row apart is 14 px; nodes differ in size by a few.
          for (const other of spans)
            if (other !== span && Math.abs(other.y - span.y) < 1)
              expect(other.to <= span.from || span.to <= other.from).toBe(true);
        }
        const first = layout.nodes.filter(node => node.moment?.pinned === true);
        if (first.length > 0) expect(first.some(node => node.label !== null)).toBe(true);
        if (line.length > 0) expect(spans.length).toBeGreaterThanOrEqual(Math.min(2, line.length));
      }),
    );
  });

  it('shows an empty history as Now alone', () => {
    const layout = lay([], null);
    expect(layout.nodes.map(node => node.id)).toEqual([NOW]);
    expect(layout.edges).toEqual([]);
  });

  it('T15: lays five thousand moments in one line without recursion', () => {
    const many = Array.from({ length: 5000 }, (_none, index) =>
      moment(`m${index}`, index === 0 ? null : `m${index - 1}`, index / 100),
    );
    expect(lay(many, 'm4999').nodes).toHaveLength(5001);
  });

  it('survives a parent that is gone and a parent loop: every moment is still drawn', () => {
    const odd = [moment('p', 'gone', 0), moment('q', 'r', 1), moment('r', 'q', 2)];
    const layout = lay(odd, 'q');
    expect(layout.nodes.map(node => node.id).sort()).toEqual([NOW, 'p', 'q', 'r']);
  });

  it('T5: puts every moment of any tree on exactly one place, and no two branches over one another', () => {
    const trees = fc
      .array(fc.nat(1000), { minLength: 1, maxLength: 40 })
      .map(picks =>
        picks.map((pick, index) => moment(`t${index}`, index === 0 ? null : `t${pick % index}`, index * 3)),
      );
    void fc.assert(
      fc.property(trees, fc.nat(1000), (moments, pick) => {
        const layout = lay(moments, `t${pick % moments.length}`);
        expect(layout.nodes).toHaveLength(moments.length + 1);
        expect(new Set(layout.nodes.map(node => `${node.x}/${node.y}`)).size).toBe(layout.nodes.length);
        expect(layout.edges).toHaveLength(moments.length);
        for (const edge of layout.edges) expect(at(layout, edge.from).x).toBeLessThan(at(layout, edge.to).x);
      }),
      { numRuns: 200 },
    );
  });
});

describe('walking the timeline by keys', () => {
  const layout = lay(branched, 'd');
  it.each([
    ['d', 'ArrowRight', NOW],
    ['d', 'ArrowLeft', 'c'],
    ['b', 'ArrowRight', 'c'],
    ['b', 'ArrowDown', 'x'],
    ['x', 'ArrowUp', 'b'],
    ['y', 'ArrowRight', null],
    ['c', 'Home', 'a'],
    ['a', 'End', NOW],
    ['a', 'Tab', null],
  ])('from %s, %s goes to %s', (from, key, to) => {
    expect(walkTimeline(layout, from, key)).toBe(to);
  });
});
