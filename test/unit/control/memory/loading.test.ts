// M9: whether what a balloon is said to hold is its present driver's word.
import { describe, expect, it } from 'vitest';
import {
  foldLoading,
  hasLoaded,
  type Loading,
  RESET,
  UNSEEN,
} from '../../../../electron/control/memory/loading.ts';
import { MIB } from '../../../support/memory-world.ts';

const BOOT = { bootKib: 1024 * MIB };
const sample = (actualMib: number, change: { driverReady?: boolean; paused?: boolean } = {}) => ({
  actualKib: actualMib * MIB,
  stats: null,
  driverReady: true,
  residentKib: null,
  paused: false,
  ...change,
});

/** Seen at these moments, in ms: is it believed at the last? */
function isBelieved(from: Loading, seen: readonly [number, ReturnType<typeof sample>][]): boolean {
  let loading = from;
  let last = false;
  for (const [nowMs, one] of seen) {
    loading = foldLoading(loading, one, nowMs);
    last = hasLoaded(loading, one, { ...BOOT, nowMs });
  }
  return last;
}

describe('a driver that loads', () => {
  it.each<[string, boolean, Loading, [number, ReturnType<typeof sample>][]]>([
    [
      'is not believed at once',
      false,
      RESET,
      [
        [0, sample(500, { driverReady: false })],
        [100, sample(500)],
      ],
    ],
    [
      'is believed when it says something new',
      true,
      RESET,
      [
        [0, sample(500)],
        [100, sample(700)],
      ],
    ],
    ['is believed when it says everything', true, RESET, [[0, sample(1024)]]],
    [
      'is believed after two seconds of the same',
      true,
      RESET,
      [
        [0, sample(500)],
        [2000, sample(500)],
      ],
    ],
    [
      'is not while it is paused',
      false,
      RESET,
      [
        [0, sample(500)],
        [1000, sample(500, { paused: true })],
        [9000, sample(500, { paused: true })],
        [9100, sample(500)],
      ],
    ],
    [
      'found running and paused is',
      true,
      UNSEEN,
      [
        [0, sample(500, { paused: true })],
        [2000, sample(500, { paused: true })],
      ],
    ],
    [
      'begins anew when it goes',
      false,
      UNSEEN,
      [
        [0, sample(500)],
        [1900, sample(500, { driverReady: false })],
        [2100, sample(500)],
      ],
    ],
  ])('%s', (_, expected, from, seen) => {
    expect(isBelieved(from, seen)).toBe(expected);
  });
});
