// What happens on a laptop, and how long the real manager takes for it (laptop.ts): starts, suspends and
// resumes, a closed lid, minimums that cannot fit, a host that jumps, fifty VMs. The peers have no such
// events, so limits stand in their place.
import type { BenchRow } from '../../support/report.ts';
import { Laptop, type LaptopVm } from './laptop.ts';

const MODES = ['demand', 'proportional'] as const;
const MANY = 50;
/** Limits that must be kept. */
const START_RATIO = 1.2;
const PLANNED_MS = 100;
/** A change that nobody reports is seen at the next tick. */
const NOTICED_MS = 1000 + PLANNED_MS;

export interface EventScenario {
  readonly name: string;
  readonly totalMib: number;
  /** Every start would have enough if memory moved at once. */
  readonly isFeasible: boolean;
  /** However fast memory moves, a start must wait until others have booted. */
  readonly waitsForBoots?: boolean;
  readonly play: (laptop: Laptop) => Promise<void>;
}

const vmOf = (laptop: Laptop, minMib: number, maxMib: number): LaptopVm => {
  const demandMib = Math.round(minMib * (0.3 + laptop.random.below(60) / 100));
  const readMibPerS = laptop.random.pick([0, 0, 40]);
  return {
    minMib,
    maxMib,
    bootSeconds: 4 + laptop.random.below(8),
    load: () => ({ demandMib, hotMib: 200, readMibPerS }),
  };
};

async function started(laptop: Laptop, count: number, minMib: number, maxMib: number): Promise<LaptopVm[]> {
  const vms = Array.from({ length: count }, () => vmOf(laptop, minMib, maxMib));
  for (const [index, vm] of vms.entries()) {
    void laptop.start(index + 1, vm);
    await laptop.run(20);
  }
  return vms;
}

async function starts(laptop: Laptop): Promise<void> {
  await started(laptop, 3, 1024, 6144);
  for (let time = 0; time < 5; time++) {
    const vm = vmOf(laptop, 1024 + 256 * laptop.random.below(5), 4096);
    laptop.event(() => void laptop.start(4, vm));
    await laptop.run(40);
    laptop.event(() => void laptop.stop(4));
    await laptop.run(40);
  }
}

async function bootStorm(laptop: Laptop): Promise<void> {
  await started(laptop, 2, 1024, 6144);
  for (let n = 3; n <= 7; n++) {
    const vm = vmOf(laptop, 1024, 4096);
    laptop.event(() => void laptop.start(n, vm));
    await laptop.run(4);
  }
  await laptop.run(120);
}

async function suspendsAndResumes(laptop: Laptop): Promise<void> {
  const vms = await started(laptop, 5, 1024, 3072);
  for (let time = 0; time < 8; time++) {
    const n = 1 + laptop.random.below(vms.length);
    let saved = null as ReturnType<Laptop['stop']>;
    laptop.event(() => {
      saved = laptop.stop(n, 'suspended');
    });
    await laptop.run(12 + laptop.random.below(20));
    const vm = vms[n - 1];
    if (vm !== undefined) laptop.event(() => void laptop.start(n, vm, saved));
    await laptop.run(12 + laptop.random.below(20));
  }
}

/** The lid is closed in the middle of a move; after waking the host uses more. */
async function lidClosed(laptop: Laptop): Promise<void> {
  await started(laptop, 3, 1024, 6144);
  const vm = vmOf(laptop, 2048, 4096);
  void laptop.start(4, vm);
  await laptop.run(0.6);
  laptop.event(() => laptop.sleep(8), false);
  await laptop.run(1);
  laptop.useMib += 1000;
  await laptop.run(60);
  laptop.event(() => laptop.setRange(1, 3072, 6144));
  await laptop.run(60);
}

/** Once everyone is at its minimum no more commands may be sent. */
async function cannotFit(laptop: Laptop): Promise<void> {
  await started(laptop, 4, 768, 3072);
  for (let n = 1; n <= 4; n++) {
    laptop.event(() => laptop.setRange(n, 1800, 3072));
    await laptop.run(5);
  }
  void laptop.start(5, vmOf(laptop, 768, 3072));
  await laptop.run(60);
  const before = laptop.commands;
  await laptop.run(60);
  if (laptop.commands > before)
    laptop.violations.push(`M1 ${laptop.commands - before} commands a minute though nothing can move`);
}

async function hostJumps(laptop: Laptop): Promise<void> {
  laptop.useMib = 3500;
  await started(laptop, 4, 1024, 6144);
  laptop.event(() => {
    laptop.useMib += 2048;
  }, false);
  const overMib = laptop.overMib;
  if (overMib <= 0) laptop.violations.push('the jump has overdrawn nothing');
  await laptop.run(60);
  if (laptop.overMib > 0) laptop.violations.push(`M2 ${Math.round(laptop.overMib)} MiB over after a minute`);
}

async function fifty(laptop: Laptop): Promise<void> {
  for (let n = 1; n <= MANY; n++) {
    const vm = vmOf(laptop, 512 + 256 * laptop.random.below(4), 4096);
    void laptop.start(n, { ...vm, load: () => ({ ...vm.load(0), readMibPerS: 0 }) });
    await laptop.run(1);
  }
  await laptop.run(60);
  for (let time = 0; time < 4; time++) {
    const n = 1 + laptop.random.below(MANY);
    laptop.event(() => laptop.setRange(n, 2048, 4096));
    await laptop.run(20);
    laptop.event(() => void laptop.stop(n));
    await laptop.run(20);
    laptop.event(() => void laptop.start(n, vmOf(laptop, 1024, 4096)));
    await laptop.run(20);
  }
}

/** One guest takes 400 ms to answer, the others almost a plan's patience. Events come in a round, too. */
async function slowToAnswer(laptop: Laptop): Promise<void> {
  await started(laptop, 4, 1024, 6144);
  for (let n = 1; n <= 4; n++) Object.assign(laptop.line(n) ?? {}, { latencyMs: n === 1 ? 400 : 95 });
  for (let time = 0; time < 60; time++) {
    await laptop.run(1 + laptop.random.below(20) / 20);
    await laptop.clock.advance(laptop.random.below(50));
    laptop.event(() => laptop.setRange(2, 1024 + 256 * (1 + (time % 4)), 6144));
  }
}

export const EVENT_SCENARIOS: readonly EventScenario[] = [
  { name: 'starts', totalMib: 16_384, isFeasible: true, play: starts },
  { name: 'boot storm', totalMib: 16_384, isFeasible: true, waitsForBoots: true, play: bootStorm },
  { name: 'suspend and resume', totalMib: 16_384, isFeasible: true, play: suspendsAndResumes },
  { name: 'lid closed 8 h', totalMib: 16_384, isFeasible: true, play: lidClosed },
  { name: 'minimums that cannot fit', totalMib: 8192, isFeasible: false, play: cannotFit },
  { name: 'host jumps by 2 GiB', totalMib: 16_384, isFeasible: true, play: hostJumps },
  { name: 'slow to answer', totalMib: 16_384, isFeasible: true, play: slowToAnswer },
  { name: `${MANY} VMs`, totalMib: 131_072, isFeasible: true, waitsForBoots: true, play: fifty },
];

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const at = (values: readonly number[], share: number): number =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

interface Line {
  readonly work: string;
  readonly values: readonly number[];
  /** The 99th percentile of the values, unless given. */
  readonly ours?: number;
  readonly limit: { readonly name: string; readonly value: number } | null;
}

/** A floor where there is a limit, else only reported. Lower is better. */
function rowOf({ work, values, ours = at(values, 0.99), limit }: Line): BenchRow[] {
  if (values.length === 0) return [];
  const theirs = limit?.value ?? ours;
  return [
    {
      work: `${work}, of ${values.length}`,
      peer: limit === null ? 'none' : 'limit',
      ours,
      theirs,
      ratio: ours === theirs ? 1 : theirs / ours,
      spread: ((sorted(values).at(-1) ?? 0) - (sorted(values)[0] ?? 0)) / (at(values, 0.5) || 1),
      target: limit === null ? 'reported' : `floor: ${limit.name}`,
      met: limit === null || ours <= theirs,
    },
  ];
}

function rowsOf(scenario: EventScenario, mode: string, laptops: readonly Laptop[]): BenchRow[] {
  const name = `${scenario.name}, ${mode}`;
  const all = (of: (laptop: Laptop) => readonly number[]): number[] => laptops.flatMap(of);
  const waited = laptops.flatMap(laptop => laptop.waited);
  const latencies = waited.map(one => one.latencyMs);
  const donorMs = at(
    waited.map(one => one.donorMs),
    0.99,
  );
  const ratio = donorMs === 0 ? 1 : at(latencies, 0.99) / donorMs;
  const leastMs = at(
    waited.map(one => one.bootsMs + one.donorMs),
    0.99,
  );
  const refused = all(laptop => [laptop.refused.length]);
  return [
    { work: `${name}: start to lease, ms, p99`, values: all(laptop => laptop.startMs), limit: null },
    { work: `${name}: the slowest who gives, ms, p99`, values: latencies, ours: donorMs, limit: null },
    {
      work: `${name}: start to lease ÷ the slowest who gives, p99s`,
      values: latencies,
      ours: ratio,
      limit: scenario.waitsForBoots === true ? null : { name: `within ${START_RATIO} ×`, value: START_RATIO },
    },
    {
      work: `${name}: start to lease ÷ who boots and then the slowest who gives, p99s`,
      values: scenario.waitsForBoots === true ? latencies : [],
      ours: leastMs === 0 ? 1 : at(latencies, 0.99) / leastMs,
      limit: { name: `within ${START_RATIO} ×`, value: START_RATIO },
    },
    {
      work: `${name}: event to plan, ms, p99`,
      values: all(laptop => laptop.plannedMs),
      limit: { name: `within ${PLANNED_MS} ms`, value: PLANNED_MS },
    },
    {
      work: `${name}: what nobody told of, to plan, ms, p99`,
      values: all(laptop => laptop.noticedMs),
      limit: { name: `within ${NOTICED_MS} ms`, value: NOTICED_MS },
    },
    { work: `${name}: event to rest, ms, p99`, values: all(laptop => laptop.convergedMs), limit: null },
    {
      work: `${name}: starts refused`,
      values: refused,
      ours: refused.reduce((sum, count) => sum + count, 0),
      limit: scenario.isFeasible ? { name: 'none where all fit', value: 0 } : null,
    },
  ].flatMap(rowOf);
}

export async function playEvent(scenario: EventScenario, seed: number, mode: Mode): Promise<Laptop> {
  const laptop = new Laptop({ seed, mode, totalMib: scenario.totalMib });
  await scenario.play(laptop);
  laptop.end();
  return laptop;
}
type Mode = (typeof MODES)[number];

export async function eventRows(
  seeds: readonly number[],
): Promise<{ runs: number; violations: string[]; rows: BenchRow[] }> {
  const violations: string[] = [];
  const rows: BenchRow[] = [];
  for (const scenario of EVENT_SCENARIOS)
    for (const mode of MODES) {
      const laptops: Laptop[] = [];
      for (const seed of seeds) {
        const laptop = await playEvent(scenario, seed, mode);
        violations.push(...laptop.violations.map(what => `seed ${seed} ${scenario.name} ${what}`));
        laptops.push(laptop);
      }
      rows.push(...rowsOf(scenario, mode, laptops));
    }
  return { runs: EVENT_SCENARIOS.length * MODES.length * seeds.length, violations, rows };
}
