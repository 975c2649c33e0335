import { describe, expect, it } from 'vitest';
import {
  bitmapSum,
  decodeSums,
  encodeSums,
  isRecorded,
  noSums,
  sumsBytes,
  unitSum,
  zeroSum,
} from '../../../../electron/storage/disk/sums.ts';
import { Seeded } from '../../../support/seeded.ts';

const UNITS = 8;

describe('checksums of a block (T12)', () => {
  it('are read back as they were written', () => {
    const random = new Seeded(1);
    const units = Uint32Array.from({ length: UNITS }, () => random.below(2 ** 31));
    const page = new Uint8Array(sumsBytes(UNITS));
    encodeSums({ bitmap: 77, units }, page);
    expect(decodeSums(page, UNITS)).toEqual({ bitmap: 77, units });
  });

  it('fit into the page in front of a block of 2 MiB, beside its bitmap and the room for an end footer', () => {
    expect(sumsBytes(512) + 512 + 512).toBeLessThanOrEqual(4096);
  });

  it('find the same bytes in another place, and every flipped bit', () => {
    const bytes = new Uint8Array(4096).fill(7);
    expect(unitSum(bytes, 5)).not.toBe(unitSum(bytes, 6));
    const units = new Uint8Array(UNITS).fill(0xff);
    expect(bitmapSum(units, 1)).not.toBe(bitmapSum(units, 2));
    const right = unitSum(bytes, 5);
    for (const bit of [0, 1, 9, 4096 * 8 - 1]) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(unitSum(damaged, 5)).not.toBe(right);
    }
  });

  it('say whether all that is here is recorded', () => {
    const units = Uint8Array.from([0xff, 0, 0xff, 0, 0, 0, 0, 0]);
    expect(isRecorded(noSums(UNITS), units)).toBe(false);
    const sums = { bitmap: 1, units: new Uint32Array(UNITS) };
    sums.units[0] = zeroSum(0);
    expect(isRecorded(sums, units)).toBe(false);
    sums.units[2] = zeroSum(2);
    expect(isRecorded(sums, units)).toBe(true);
  });
});
