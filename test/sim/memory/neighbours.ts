// M4, through the real loop on a simulated clock: guests that are stuck, slow, silent or lying take from no
// other guest what it is entitled to, and delay no start by more than ten seconds beyond what those who give
// need for it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fill } from '../../../electron/control/memory/fill.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import { type DriverKind, KERNEL, type SimGuest } from './guest.ts';
import { Laptop, type LaptopVm } from './laptop.ts';
import { overheadMib } from './running.ts';

const MIB = 1024;
const TOTAL_MIB = 16_384;
const NEW = 9;
/** M4's ten seconds; then a round, and answers of QMP. */
const DELAY_MS = 10_000 + 1_500;
/** Tolerance: for what overload changes, and for a MiB here and there. */
const NEAR_SHARE = 0.1;
const NEAR_MIB = 64;

interface Neighbour {
  readonly kind: DriverKind | 'hung';
  readonly minMib: number;
  readonly rangeMib: number;
  /** What it needs, in percent of its minimum. */
  readonly needPercent: number;
}
export interface Neighbourhood {
  readonly mode: HostMemory['mode'];
  readonly vms: readonly Neighbour[];
  /** The new VM's minimum, in percent of what the willing guests can give it. */
  readonly roomPercent: number;
}

const anyNeighbour = (kinds: readonly Neighbour['kind'][]): fc.Arbitrary<Neighbour> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    minMib: fc.integer({ min: 4, max: 24 }).map(n => n * 64),
    rangeMib: fc.integer({ min: 4, max: 80 }).map(n => n * 64),
    needPercent: fc.integer({ min: 20, max: 130 }),
  });
const BAD = ['stuck', 'hung', 'slow', 'dies-mid-way', 'floor', 'intermittent', 'lying', 'silent'] as const;
export const anyNeighbourhood: fc.Arbitrary<Neighbourhood> = fc.record({
  mode: fc.constantFrom('demand', 'proportional'),
  vms: fc
    .tuple(
      fc.array(anyNeighbour(['normal']), { minLength: 1, maxLength: 3 }),
      fc.array(anyNeighbour(BAD), { minLength: 1, maxLength: 2 }),
    )
    .map(([good, bad]) => [...bad, ...good]),
  roomPercent: fc.integer({ min: 30, max: 95 }),
});

const vmOf = ({ kind, minMib, rangeMib, needPercent }: Neighbour): LaptopVm => ({
  minMib,
  maxMib: minMib + rangeMib,
  kind: kind === 'hung' ? 'normal' : kind,
  bootSeconds: 5,
  load: () => ({ demandMib: ((minMib - KERNEL) * needPercent) / 100, hotMib: 64, readMibPerS: 0 }),
});

const leastMib = ({ setup }: SimGuest): number => Math.min(setup.spec.minKib / MIB, setup.bootMib);
const willingOf = (laptop: Laptop): SimGuest[] =>
  [...laptop.guests.values()].filter(guest => guest.setup.kind === 'normal' && !guest.isHung);

/** What the willing guests could give to a new VM, without what its QEMU takes itself. */
function roomMib(laptop: Laptop): number {
  const given = willingOf(laptop).reduce((sum, guest) => sum + guest.promisedMib - leastMib(guest), 0);
  return Math.floor((given - laptop.overMib - overheadMib(0) - 8) / 1.01);
}

const filled = (
  guests: readonly SimGuest[],
  mins: Float64Array,
  tops: Float64Array,
  shared: number,
): Float64Array =>
  fill(
    mins,
    tops,
    Float64Array.from(guests, ({ setup }) => setup.spec.weight),
    Math.max(0, shared),
  );

/** By ratio: everyone has the same share of its range, whatever it needs. */
function atOneRatio(mins: Float64Array, tops: Float64Array, shared: number): Float64Array {
  const ranges = tops.map((top, index) => top - (mins[index] ?? 0));
  const ratio = Math.min(
    1,
    Math.max(0, shared) /
      Math.max(
        1,
        ranges.reduce((sum, range) => sum + range, 0),
      ),
  );
  return mins.map((min, index) => min + ratio * (ranges[index] ?? 0));
}

/** Every willing guest has what it needs, as far as its part of what the others leave goes. */
function judgeEntitled(laptop: Laptop, mode: Neighbourhood['mode']): void {
  const willing = willingOf(laptop);
  const of = (what: (guest: SimGuest) => number): Float64Array => Float64Array.from(willing, what);
  const [mins, tops] = [
    of(leastMib),
    of(guest => Math.min(guest.setup.spec.maxKib / MIB, guest.setup.bootMib)),
  ];
  const shared =
    willing.reduce((sum, guest) => sum + guest.promisedMib - leastMib(guest), 0) - laptop.overMib;
  const fair = mode === 'demand' ? filled(willing, mins, tops, shared) : atOneRatio(mins, tops, shared);
  for (const [index, guest] of willing.entries()) {
    const owed = Math.min(fair[index] ?? 0, guest.demand + KERNEL);
    assert(
      guest.actual >= owed * (1 - NEAR_SHARE) - NEAR_MIB && guest.actual >= leastMib(guest) - 16,
      `${guest.setup.spec.name} has ${Math.round(guest.actual)} of ${Math.round(owed)}`,
    );
  }
}

export async function undisturbed({ mode, vms, roomPercent }: Neighbourhood): Promise<void> {
  const laptop = new Laptop({ seed: 1, mode, totalMib: TOTAL_MIB });
  for (const [index, neighbour] of vms.entries()) {
    void laptop.start(index + 1, vmOf(neighbour));
    await laptop.run(25);
  }
  for (const [index, { kind }] of vms.entries())
    if (kind === 'hung')
      Object.assign(laptop.line(index + 1) ?? {}, { hungUntilMs: Number.POSITIVE_INFINITY });
  await laptop.run(5);
  const isUp = [...laptop.guests.values()].every(guest => guest.isDriverReady);
  if (!isUp || laptop.guests.size + laptop.refused.length < vms.length) return laptop.end();
  const minMib = Math.floor((roomMib(laptop) * roomPercent) / 100);
  if (minMib < 256) return laptop.end();
  const [askedBefore, refusedBefore] = [laptop.startMs.length, laptop.refused.length];
  const waitedBefore = laptop.waited.length;
  void laptop.start(NEW, vmOf({ kind: 'normal', minMib, rangeMib: minMib, needPercent: 40 }));
  await laptop.run(60);
  assert.deepEqual(laptop.refused.slice(refusedBefore).map(String), []);
  const [latencyMs] = laptop.startMs.slice(askedBefore);
  const donorMs = laptop.waited[waitedBefore]?.donorMs ?? 0;
  assert(latencyMs !== undefined, 'no lease within a minute');
  assert(latencyMs - donorMs <= DELAY_MS, `lease after ${latencyMs} ms, given within ${donorMs}`);
  await laptop.run(30);
  judgeEntitled(laptop, mode);
  assert.deepEqual(laptop.violations, []);
  laptop.end();
}

export const NEIGHBOURS = {
  title: 'M4: who is stuck, slow, silent or lies costs no other its part, and delays none by more than 10 s',
  property: fc.asyncProperty(anyNeighbourhood, undisturbed),
};
