import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  breaksQuarterRule,
  memoryScale,
  moveThumb,
  parseAmount,
  spreadLabels,
  thumbKey,
  thumbLimits,
  toShare,
} from '../../../../renderer/view/memory-scale.ts';
import { GIB_KIB, MIB_KIB } from '../../../../shared/units.ts';

const gib = (value: number): number => value * GIB_KIB;
const range = { minKib: gib(2), maxKib: gib(8) };
const scale = memoryScale(range, gib(12));

describe('the scale of the memory slider', () => {
  it('reaches from nothing to what VMs may use in all', () => {
    expect(scale.endKib).toBe(gib(12));
    expect(scale.ticks[0]).toBe(0);
    expect(scale.ticks.at(-1)).toBe(gib(12));
  });

  it('shows a small VM on a big host at a size it can be seen at', () => {
    const small = memoryScale({ minKib: 128 * MIB_KIB, maxKib: 512 * MIB_KIB }, gib(64));
    expect(toShare(512 * MIB_KIB, small)).toBeGreaterThan(0.2);
    expect(small.stepKib).toBe(16 * MIB_KIB);
  });

  it('holds a maximum above the budget rather than hiding it', () => {
    expect(memoryScale({ minKib: gib(2), maxKib: gib(20) }, gib(12)).endKib).toBe(gib(20));
  });

  it('never lets Min pass Max, whatever is asked of a thumb', () => {
    void fc.assert(
      fc.property(
        fc.constantFrom('min' as const, 'max' as const),
        fc.integer({ min: -gib(2), max: gib(40) }),
        (thumb, kib) => {
          const moved = moveThumb(thumb, kib, { range, scale });
          expect(moved.minKib).toBeLessThanOrEqual(moved.maxKib);
          expect(moved.minKib).toBeGreaterThan(0);
          expect(moved.maxKib).toBeLessThanOrEqual(scale.endKib);
        },
      ),
    );
  });

  it('tells each thumb the limits the other sets, as the APG pattern asks', () => {
    expect(thumbLimits('min', range, scale).highKib).toBe(range.maxKib);
    expect(thumbLimits('max', range, scale).lowKib).toBe(range.minKib);
  });

  it('moves by a step, by a page and to its ends with the keys', () => {
    const at = { range, scale };
    expect(thumbKey('ArrowRight', 'max', at)?.maxKib).toBe(gib(8) + 128 * MIB_KIB);
    expect(thumbKey('PageDown', 'max', at)?.maxKib).toBe(gib(7));
    expect(thumbKey('End', 'min', at)?.minKib).toBe(gib(8));
    expect(thumbKey('Home', 'max', at)?.maxKib).toBe(gib(2));
    expect(thumbKey('Tab', 'max', at)).toBeNull();
  });

  it('warns below a quarter of the maximum, not at it', () => {
    expect(breaksQuarterRule(range)).toBe(false);
    expect(breaksQuarterRule({ ...range, minKib: gib(2) - 1 })).toBe(true);
  });

  it.each([
    ['2', 'GiB', gib(2)],
    ['2.5', 'GiB', gib(2.5)],
    ['2,5', 'GiB', gib(2.5)],
    ['512', 'MiB', 512 * MIB_KIB],
    ['512 MiB', 'GiB', 512 * MIB_KIB],
    ['4gb', 'MiB', gib(4)],
    ['', 'GiB', null],
    ['-3', 'GiB', null],
    ['two', 'GiB', null],
    ['1e9', 'GiB', null],
    ['999999999999999999999', 'GiB', null],
  ] as const)('reads "%s" beside %s as %s KiB', (text, unit, kib) => {
    expect(parseAmount(text, unit)).toBe(kib);
  });

  it('parts two labels that touch evenly, and leaves alone those that do not', () => {
    expect(spreadLabels([0.5, 0.5], 0.1)).toEqual([0.45, 0.55]);
    expect(spreadLabels([0.8, 0.2], 0.1)).toEqual([0.8, 0.2]);
  });

  it('keeps labels off one another and on the track', () => {
    void fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
        shares => {
          const placed = [...spreadLabels(shares, 0.115)].sort((a, b) => a - b);
          for (let index = 1; index < placed.length; index += 1) {
            expect((placed[index] ?? 0) - (placed[index - 1] ?? 0)).toBeGreaterThan(0.1149);
          }
          expect(placed[0]).toBeGreaterThanOrEqual(0.0575);
          expect(placed.at(-1)).toBeLessThanOrEqual(1 - 0.0575);
        },
      ),
    );
  });
});
