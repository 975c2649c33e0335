// What runs in the guests of a scenario: deterministic curves of time, drawn once from a seed. MiB and
// seconds.
import type { Seeded } from '../../support/seeded.ts';
import { KERNEL, type Load } from './guest.ts';

export type Curve = (seconds: number) => number;

/** Levels between `low` and `high`, each held for `holdS` seconds and reached at `riseMibPerS`. */
export function workday(
  random: Seeded,
  {
    low,
    high,
    holdS,
    riseMibPerS,
    seconds,
  }: {
    readonly low: number;
    readonly high: number;
    readonly holdS: readonly [number, number];
    readonly riseMibPerS: number;
    readonly seconds: number;
  },
): Curve {
  const [least, most] = holdS;
  const values: number[] = [];
  let level = low + random.below(Math.round((high - low) / 2));
  let goal = level;
  let untilS = least;
  for (let at = 0; at <= seconds; at++) {
    if (at >= untilS) {
      // Bursts are common, but seldom as large as they can be (Overdriver: most last under two minutes).
      goal =
        random.below(3) === 0
          ? low + random.below(Math.round(high - low))
          : low + random.below(Math.round((high - low) / 3));
      untilS = at + least + random.below(most - least);
    }
    level = goal > level ? Math.min(goal, level + riseMibPerS) : Math.max(goal, level - 4 * riseMibPerS);
    values.push(level);
  }
  return at => values[Math.min(values.length - 1, Math.floor(at))] ?? low;
}

export const steady =
  (mib: number): Curve =>
  () =>
    mib;

export const sine =
  (middle: number, swing: number, periodS: number, phase: number): Curve =>
  at =>
    middle + swing * Math.sin((2 * Math.PI * at) / periodS + phase);

export const ramp =
  (from: number, to: number, startS: number, mibPerS: number): Curve =>
  at =>
    from + Math.min(to - from, Math.max(0, (at - startS) * mibPerS));

export const load =
  (demand: Curve, hotMib: number, read: Curve = steady(0)) =>
  (seconds: number): Load => ({ demandMib: demand(seconds), hotMib, readMibPerS: read(seconds) });

/** Scales the curves to fit `capacityMib` together: what is above the floors shrinks alike. */
export function fitting(
  curves: readonly Curve[],
  floors: readonly number[],
  capacityMib: Curve,
  seconds: number,
): Curve[] {
  let scale = 1;
  for (let at = 0; at < seconds; at++) {
    const above = curves.reduce(
      (sum, curve, index) => sum + Math.max(0, curve(at) - (floors[index] ?? 0)),
      0,
    );
    const room = curves.reduce(
      (left, curve, index) => left - KERNEL - Math.min(curve(at), floors[index] ?? 0),
      capacityMib(at),
    );
    if (above > 0) scale = Math.min(scale, Math.max(0, room) / above);
  }
  return curves.map((curve, index) => at => {
    const floor = floors[index] ?? 0;
    const value = curve(at);
    return value <= floor ? value : floor + (value - floor) * scale;
  });
}
