import { describe, expect, it } from 'vitest';
import {
  type Estimate,
  foldEstimate,
  type Told,
  wantsOf,
  wantsUnheard,
} from '../../../../electron/control/memory/estimate.ts';
import type { GuestStats } from '../../../../electron/control/ports.ts';

const MIB = 1024;
const GIB = 1024 * MIB;
/** 2^64 − 1 bytes, as a guest that knows no better tells them, in KiB. */
const NEVER_TOLD = 2 ** 64 / 1024;

const stats = (second: number, change: Partial<GuestStats> = {}): GuestStats => ({
  totalKib: 4 * GIB,
  freeKib: 2 * GIB,
  availableKib: 3 * GIB,
  cachesKib: GIB,
  swapInKib: 0,
  swapOutKib: 0,
  majorFaults: 0,
  updatedAtMs: 1_700_000_000_000 + second * 1000,
  ...change,
});
const fold = (
  before: Estimate | null,
  second: number,
  change: Partial<GuestStats> = {},
  {
    actualKib = 4 * GIB,
    beforeKib = 4 * GIB,
    residentKib = null,
  }: Partial<Omit<Told, 'stats' | 'atMs'>> = {},
): Estimate | null =>
  foldEstimate(before, {
    stats: stats(second, change),
    actualKib,
    beforeKib,
    residentKib,
    atMs: second * 1000,
  });
const run = (
  from: number,
  to: number,
  start: Estimate | null,
  change: (second: number) => Partial<GuestStats>,
) => {
  let estimate = start;
  for (let second = from; second < to; second++) estimate = fold(estimate, second, change(second));
  return estimate;
};
const workingMib = (estimate: Estimate | null, second: number): number =>
  Math.round((wantsOf(estimate, second * 1000, 400 * MIB)?.workingKib ?? Number.NaN) / MIB);

describe('what a guest needs', () => {
  it('M4: nothing believed, nothing known', () => {
    expect(wantsOf(null, 0, 0)).toBeNull();
    expect(fold(null, 0, { updatedAtMs: 0 })).toBeNull();
  });

  it('rises at once and is forgotten within a minute or so', () => {
    const idle = run(0, 60, null, () => ({}));
    expect(workingMib(idle, 60)).toBe(1024);
    const busy = fold(idle, 60, { availableKib: GIB });
    // And somewhat ahead of it: what grows this fast grows on.
    expect(workingMib(busy, 60)).toBeGreaterThan(3 * 1024);
    const after = run(61, 63, busy, () => ({}));
    expect(workingMib(after, 63)).toBeGreaterThan(1100);
    const calm = run(63, 240, after, () => ({}));
    expect(workingMib(calm, 240)).toBeLessThan(1100);
  });

  it('each level holds the one before it, whatever is told', () => {
    for (const availableKib of [0, GIB, 4 * GIB])
      for (const cachesKib of [0, 3 * GIB, null, -1, NEVER_TOLD]) {
        const wants = wantsOf(fold(null, 1, { availableKib, cachesKib }), 1000, 400 * MIB);
        expect(wants?.bufferKib).toBeGreaterThanOrEqual(wants?.workingKib ?? 0);
        expect(wants?.cacheKib).toBeGreaterThanOrEqual(wants?.bufferKib ?? 0);
      }
  });

  it('what is out in swap is needed too, until it is not missed any more', () => {
    const before = run(0, 5, null, () => ({ availableKib: GIB }));
    const out = run(5, 15, before, second => ({ availableKib: GIB, swapOutKib: (second - 4) * 100 * MIB }));
    expect(workingMib(out, 15)).toBeGreaterThanOrEqual(3 * 1024 + 850);
    const forgotten = run(15, 400, out, () => ({ availableKib: GIB, swapOutKib: 1000 * MIB }));
    expect(workingMib(forgotten, 400)).toBeLessThan(3 * 1024 + 100);
    const missed = run(15, 60, out, second => ({
      availableKib: GIB,
      swapOutKib: 1000 * MIB + (second - 14) * 2 * MIB,
      swapInKib: (second - 14) * 2 * MIB,
    }));
    expect(workingMib(missed, 60)).toBeGreaterThan(3 * 1024 + 850);
  });

  it.each([
    ['it reads back from swap', { swapInKib: 20 * MIB }],
    ['it faults', { majorFaults: 5000 }],
    ['next to nothing is available', { availableKib: 10 * MIB, freeKib: 10 * MIB }],
  ])('M4: urgent when %s, and for a moment after', (_, change) => {
    const estimate = fold(fold(null, 1), 2, change);
    expect(wantsOf(estimate, 2000, 400 * MIB)?.isUrgent).toBe(true);
    expect(wantsOf(fold(estimate, 3, { ...change, availableKib: 3 * GIB }), 3000, 400 * MIB)?.isUrgent).toBe(
      true,
    );
    const calm = run(3, 9, estimate, () => ({ ...change, availableKib: 3 * GIB }));
    expect(wantsOf(calm, 9000, 400 * MIB)?.isUrgent).toBe(false);
  });

  it('M4: a moving balloon is not taken for a need', () => {
    const idle = run(0, 5, null, () => ({}));
    const beforeMib = workingMib(idle, 5);
    // 2 GiB came back since, and the guest's own figures do not know of it yet.
    const grown = fold(idle, 5, {}, { actualKib: 6 * GIB, beforeKib: 4 * GIB });
    expect(workingMib(grown, 5)).toBeLessThanOrEqual(beforeMib);
  });
});

describe('what is not believed changes nothing (M4)', () => {
  const known = run(0, 5, null, () => ({}));
  it.each([
    ['statistics seen before', 4, {}],
    ['no statistics at all', 9, { availableKib: null, freeKib: null }],
    ['no total', 9, { totalKib: null }],
    ['more available than there is', 9, { availableKib: 5 * GIB, totalKib: 4 * GIB }],
    ['2^64 − 1 available', 9, { availableKib: NEVER_TOLD, freeKib: NEVER_TOLD }],
    ['−1 available, nothing free', 9, { availableKib: -1, freeKib: null }],
    ['no number', 9, { availableKib: Number.NaN, freeKib: Number.NaN }],
    ['2^54 total', 9, { totalKib: 2 ** 54 }],
  ])('%s', (_, second, change) => {
    expect(fold(known, second, change)).toBe(known);
  });

  it('more available than its balloon leaves it', () => {
    expect(fold(known, 9, { availableKib: 3 * GIB }, { actualKib: 2 * GIB, beforeKib: 2 * GIB })).toBe(known);
  });

  it.each([
    ['swapped in', { swapInKib: NEVER_TOLD }],
    ['swapped out', { swapOutKib: NEVER_TOLD }],
    ['faults', { majorFaults: NEVER_TOLD }],
    ['a counter that began anew', { swapOutKib: 0, swapInKib: 0, majorFaults: 0 }],
  ])('an absurd counter: %s', (_, change) => {
    const swapping = fold(known, 5, { swapInKib: 500, swapOutKib: 500, majorFaults: 50 });
    const after = fold(swapping, 6, change);
    expect(Number.isFinite(after?.swappedKib)).toBe(true);
    expect(after?.swappedKib).toBeLessThanOrEqual(1000);
    expect(wantsOf(after, 6000, 400 * MIB)?.isUrgent).toBe(false);
  });

  it('what the host never saw it touch, it does not use; and with memory to spare it does not suffer', () => {
    const lie = {
      availableKib: 10 * MIB,
      freeKib: 0,
      swapInKib: 500 * MIB,
      swapOutKib: 900 * MIB,
      majorFaults: 9000,
    };
    const believed = fold(known, 5, lie);
    expect(wantsOf(believed, 5000, 400 * MIB)?.isUrgent).toBe(true);
    const found = fold(known, 5, lie, { residentKib: 1.5 * GIB });
    expect(found?.needKib).toBe(1.5 * GIB);
    expect(wantsOf(found, 5000, 400 * MIB)?.isUrgent).toBe(false);
    // One that fills what it has is believed.
    expect(fold(known, 5, lie, { residentKib: 4 * GIB })?.needKib).toBe(believed?.needKib);
  });

  it('a guest that never told is judged by what the host holds for it', () => {
    expect(wantsUnheard(GIB, 2 * GIB)).toMatchObject({ workingKib: GIB, isUrgent: false });
    expect(wantsUnheard(3 * GIB, 2 * GIB).workingKib).toBe(2 * GIB);
    expect(wantsUnheard(3 * GIB, 2 * GIB).bufferKib).toBeGreaterThan(3 * GIB);
  });

  it('a slow balloon has its room beforehand', () => {
    const room = (paceKibPerS: number): number => wantsOf(known, 5000, paceKibPerS)?.bufferKib ?? 0;
    expect(room(10 * MIB)).toBeGreaterThan(room(400 * MIB) + 1.5 * GIB);
  });

  it('need that rises goes on rising while the balloon moves, as far as anybody knows', () => {
    const rising = run(0, 5, null, second => ({ availableKib: (3000 - 200 * second) * MIB }));
    expect(rising?.risingKibPerS).toBe(200 * MIB);
    const given = { actualKib: 4.5 * GIB, beforeKib: 4 * GIB };
    expect(fold(rising, 5, { availableKib: 2500 * MIB }, given)?.risingKibPerS).toBe(200 * MIB);
    expect(fold(rising, 5, { availableKib: 2200 * MIB })?.risingKibPerS).toBe(0);
  });

  it('a clock set back is a second later as far as anybody knows', () => {
    const back = fold(known, -10_000, { availableKib: 2 * GIB });
    expect(workingMib(back, 5)).toBeGreaterThan(2000);
    expect(Number.isFinite(back?.risingKibPerS)).toBe(true);
  });

  it('what came in over minutes of silence did not come in within a second', () => {
    const before = run(0, 30, null, () => ({}));
    const after = fold(before, 300, { swapInKib: 100 * MIB, majorFaults: 20_000 });
    expect(wantsOf(after, 300_000, 400 * MIB)?.isUrgent).toBe(false);
    const atOnce = fold(before, 31, { swapInKib: 100 * MIB, majorFaults: 20_000 });
    expect(wantsOf(atOnce, 31_000, 400 * MIB)?.isUrgent).toBe(true);
  });

  it('a clock set ahead by hours does not make it forget what was needed', () => {
    const before = run(0, 30, null, () => ({ availableKib: GIB }));
    const after = fold(before, 8 * 3600, { availableKib: 3 * GIB });
    const asMuchLater = fold(before, 90, { availableKib: 3 * GIB });
    expect(after?.slowKib).toBeCloseTo(asMuchLater?.slowKib ?? 0, 3);
    expect(after?.slowKib).toBeGreaterThan(1.05 * GIB);
  });

  it('a guest that knows no "available" is judged by what is free and its caches', () => {
    const estimate = fold(null, 1, { availableKib: null, freeKib: GIB, cachesKib: GIB });
    expect(workingMib(estimate, 1)).toBe(Math.round(3 * 1024 - 0.8 * 1024));
  });
});
