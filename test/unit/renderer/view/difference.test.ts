import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  busiestStretch,
  HEAT_LEVELS,
  heatLevel,
  heatRuns,
  heatStrip,
} from '../../../../renderer/view/difference.ts';

const strip = (ranges: readonly (readonly [number, number])[], isTruncated = false) =>
  heatStrip({ ranges: ranges.map(([offset, length]) => ({ offset, length })), isTruncated }, 100, 10);

describe('the strip of what differs', () => {
  it('fills bins by how much of them may differ, over their borders too', () => {
    expect(
      strip([
        [5, 10],
        [40, 1],
      ]).bins,
    ).toEqual([0.5, 0.5, 0, 0, 0.1, 0, 0, 0, 0, 0]);
  });

  it('ends with the disk, whatever a range says: one of the two points may be of a larger disk', () => {
    expect(strip([[95, 50]]).bins).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]);
    expect(heatStrip({ ranges: [{ offset: 0, length: 1 }], isTruncated: false }, 0, 3).bins).toEqual([
      0, 0, 0,
    ]);
  });

  it('keeps the sum of what it was given', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 50 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 300 }), (pairs, count) => {
        let at = 0;
        const ranges = pairs.map(([gap, length]) => {
          const offset = at + gap;
          at = offset + length;
          return { offset, length };
        });
        const whole = at + 7;
        const { bins } = heatStrip({ ranges, isTruncated: false }, whole, count);
        const bytes = bins.reduce((sum, share) => sum + (share * whole) / count, 0);
        expect(bytes).toBeCloseTo(
          ranges.reduce((sum, { length }) => sum + length, 0),
          4,
        );
      }),
    );
  });

  it('says from where on it does not know, where the answer ended early', () => {
    expect(
      strip(
        [
          [0, 10],
          [30, 5],
        ],
        true,
      ).knownBins,
    ).toBe(3);
    expect(strip([[0, 10]]).knownBins).toBe(10);
  });

  it('shows the least there is, and the hottest bin as the most', () => {
    expect(heatLevel(0, 1)).toBe(0);
    expect(heatLevel(1e-9, 1)).toBe(1);
    expect(heatLevel(0.01, 0.01)).toBe(HEAT_LEVELS);
  });

  it('draws neighbours of one level as one piece', () => {
    expect(heatRuns([0, 0.5, 0.5, 0, 1e-9])).toEqual([
      { from: 1, length: 2, level: HEAT_LEVELS },
      { from: 4, length: 1, level: 1 },
    ]);
  });
});

describe('where most of it lies', () => {
  it('is the shortest stretch with half of it', () => {
    expect(
      busiestStretch(
        strip([
          [0, 1],
          [40, 10],
          [50, 8],
        ]),
      ),
    ).toEqual({ from: 4, to: 5 });
  });

  it('is not named where it is all over the disk, where there is none, and where not all was told', () => {
    expect(busiestStretch(strip([[0, 100]]))).toBeNull();
    expect(busiestStretch(strip([]))).toBeNull();
    expect(busiestStretch(strip([[40, 10]], true))).toBeNull();
  });
});
