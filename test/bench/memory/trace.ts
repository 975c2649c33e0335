// What four small guests are asked for in a replay, and the same sixteen times as large for the simulator: its guests, and
// the peers' constants, are those of a laptop.
import { defaultOverheadKib } from '../../../electron/control/memory/budget.ts';
import { KERNEL } from '../../sim/memory/guest.ts';
import { type Curve, load } from '../../sim/memory/loads.ts';
import type { Scenario } from '../../sim/memory/scenarios.ts';
import { Seeded } from '../../support/seeded.ts';

export const SCALE = 16;
export const GUESTS = {
  one: { minMib: 112, maxMib: 320, diskMib: 512 },
  two: { minMib: 112, maxMib: 320, diskMib: 512 },
  three: { minMib: 112, maxMib: 320, diskMib: 512 },
  four: { minMib: 112, maxMib: 320, diskMib: 512 },
} as const;
const NAMES = Object.keys(GUESTS);
const { minMib, maxMib } = GUESTS.one;
/** For what guests hold; QEMU's own comes on top. */
export const GUESTS_MIB = 760;
/** What a sample guest holds before it is asked for anything. */
const IDLE_MIB = 84;
const BUSY_MIB = 190;
const IDLE_DEMAND = { least: 10, most: 50 };
const HOLD_S = { least: 10, most: 20 };
/** A second. */
const RISE_MIB = 20;
/** A laptop's own use, and what is left free when everything is handed out. */
export const HOST_MIB = 2000;
export const MARGIN_MIB = 640;

/** MiB for each guest at each second: one after another is the busy one, the others do little. All fit, once moved. */
export function traceOf(seed: number, seconds: number): Curve[] {
  const random = new Seeded(seed);
  const demands = NAMES.map(() => [IDLE_DEMAND.least]);
  let [busy, untilS] = [random.below(NAMES.length), 0];
  const goals = NAMES.map(() => 0);
  for (let at = 1; at < seconds; at++) {
    if (at >= untilS) {
      busy = (busy + 1 + random.below(NAMES.length - 1)) % NAMES.length;
      untilS = at + HOLD_S.least + random.below(HOLD_S.most - HOLD_S.least);
      for (const index of goals.keys())
        goals[index] =
          index === busy ? BUSY_MIB : IDLE_DEMAND.least + random.below(IDLE_DEMAND.most - IDLE_DEMAND.least);
    }
    for (const [index, values] of demands.entries())
      values.push(Math.min(goals[index] ?? 0, (values.at(-1) ?? 0) + RISE_MIB));
  }
  return demands.map(values => second => values[Math.min(values.length - 1, Math.floor(second))] ?? 0);
}

/** The same in the simulator. */
export function simulated(trace: readonly Curve[]): Scenario {
  const [min, max] = [minMib * SCALE, maxMib * SCALE];
  const overheadMib = Math.ceil(defaultOverheadKib(max * 1024) / 1024);
  return {
    name: 'replay',
    isFeasible: true,
    totalMib: GUESTS_MIB * SCALE + trace.length * overheadMib + HOST_MIB + MARGIN_MIB,
    hostMib: () => HOST_MIB,
    vms: trace.map(curve => ({
      minMib: min,
      maxMib: max,
      kind: 'normal',
      load: load(at => (curve(at) + IDLE_MIB) * SCALE - KERNEL, 0),
    })),
  };
}
