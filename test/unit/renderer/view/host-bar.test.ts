import { describe, expect, it } from 'vitest';
import { hostSegments, type Segment } from '../../../../renderer/view/host-bar.ts';
import type { VmId } from '../../../../shared/ids.ts';
import { gib, host, vm } from '../../../support/host-figures.ts';

const ofVm = (segments: readonly Segment[]) => segments.filter(segment => segment.kind === 'vm');
const width = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.width, 0);

describe('the host bar', () => {
  it('fills its width: reserve, own cost, VMs, free', () => {
    const segments = hostSegments(host([vm({}), vm({ vmId: 'w' as VmId })]));
    expect(segments.map(segment => segment.kind)).toEqual(['reserve', 'own', 'vm', 'vm', 'free']);
    expect(width(segments)).toBeCloseTo(1);
  });

  it('M2: gives a VM all it may come to hold, and shows asked and done apart in that', () => {
    const [growing] = ofVm(hostSegments(host([vm({ actualKib: gib(3), targetKib: gib(4) })])));
    expect(growing?.kib).toBe(gib(4));
    expect(growing?.kind === 'vm' && growing.actual).toBeCloseTo(0.75);
    const [shrinking] = ofVm(hostSegments(host([vm({ actualKib: gib(4), targetKib: gib(3) })])));
    expect(shrinking?.kib).toBe(gib(4));
    expect(shrinking?.kind === 'vm' && shrinking.target).toBeCloseTo(0.75);
  });

  it('M6: draws a VM that is starting at all it may touch, and one that is off not at all', () => {
    const starting = vm({ actualKib: null, targetKib: null, committedKib: gib(8), balloon: 'booting' });
    expect(ofVm(hostSegments(host([starting])))[0]?.kib).toBe(gib(8));
    const off = vm({ actualKib: null, targetKib: null, bootKib: null, committedKib: 0, balloon: 'off' });
    expect(ofVm(hostSegments(host([off])))).toEqual([]);
  });

  it('keeps the VMs visible where the budget is a sliver of the host', () => {
    const segments = hostSegments(host([vm({})], { totalKib: gib(256), budgetKib: gib(6) }));
    expect(ofVm(segments)[0]?.width).toBeGreaterThan(0.4);
    expect(width(segments)).toBeCloseTo(1);
  });

  it('still fits when guests hold more than the budget', () => {
    const segments = hostSegments(host([vm({ actualKib: gib(14), committedKib: gib(14) })]));
    expect(width(segments)).toBeCloseTo(1);
    expect(segments.some(segment => segment.kind === 'free')).toBe(false);
  });

  it('keeps its scale where something is kept free, and shows that as it is given up', () => {
    const figures = { availableKib: gib(4), freeWithheldKib: gib(9) };
    const shrinking = hostSegments(host([vm({ targetKib: gib(3) })], figures));
    const before = hostSegments(host([vm({})]));
    expect(width(shrinking)).toBeCloseTo(1);
    expect(shrinking.slice(0, 2)).toEqual(before.slice(0, 2));
    // Of nine only eight: the VM still holds the ninth.
    expect(shrinking.at(-1)).toMatchObject({ kind: 'kept', kib: gib(8) });
    const shrunk = hostSegments(
      host([vm({ actualKib: gib(2), targetKib: gib(2), committedKib: gib(2) })], figures),
    );
    expect(shrunk.slice(-2)).toMatchObject([
      { kind: 'free', kib: gib(1) },
      { kind: 'kept', kib: gib(9) },
    ]);
  });
});
