// Runs our policies and their peers in every scenario, over fresh seeds, and gives DESIGN's promises of mode
// `demand` as figures.
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { eventRows } from './events.ts';
import { leastMovedGib } from './least.ts';
import { ours } from './ours.ts';
import type { Peer } from './peers/host.ts';
import { esx, hyperv, qubes } from './peers/needs.ts';
import { fixed, mom, proxmox, squeezed } from './peers/simple.ts';
import { scenarios, TUNING_SEEDS } from './scenarios.ts';
import { type Metrics, type Policy, runWorld, worldOf } from './world.ts';

const SECONDS = 600;
export const PEERS: Readonly<Record<string, Peer>> = {
  static: fixed,
  squeezed,
  proxmox,
  mom: mom(false),
  'mom vdsm': mom(true),
  'hyper-v': hyperv,
  qubes: qubes(false),
  'qubes mended': qubes(true),
  esx,
};

interface Goal {
  readonly metric: keyof Metrics;
  readonly isHighBest: boolean;
  /** How far behind the best peer still counts as tied: from its value, in the metric's own unit. */
  readonly slack: (best: number) => number;
  readonly target: string;
  /** Infeasible scenarios are reported only. */
  readonly isFloor: boolean;
}
const GOALS: readonly Goal[] = [
  {
    metric: 'stallS',
    isHighBest: false,
    slack: best => Math.max(1, best * 0.02),
    target: 'floor: no more stall than the best peer',
    isFloor: true,
  },
  {
    metric: 'p5',
    isHighBest: true,
    slack: () => 0.005,
    target: 'floor: p5 no worse than the best peer',
    isFloor: true,
  },
  {
    metric: 'kills',
    isHighBest: false,
    slack: () => 0,
    target: 'floor: no more guest OOMs than the best peer',
    isFloor: true,
  },
  {
    metric: 'swapGib',
    isHighBest: false,
    slack: () => 0.05,
    target: 'goal: the least swap I/O',
    isFloor: false,
  },
  {
    metric: 'perf',
    isHighBest: true,
    slack: best => best * 0.01,
    target: 'goal: mean performance within 1 % of the best',
    isFloor: false,
  },
  ...(['movedGib', 'flips', 'jain'] as const).map(metric => ({
    metric,
    isHighBest: metric === 'jain',
    slack: () => Number.POSITIVE_INFINITY,
    target: 'reported',
    isFloor: false,
  })),
];
/** How many times the memory that must move the policy may move. */
const MOVED_TIMES = 1.5;

/** Seeds `A..B`, without those that constants were chosen on. */
export function seedsOf(text: string): number[] {
  const [first = Number.NaN, last = first] = text.split('..').map(Number);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first)
    throw new Error(`--seeds A..B, not ${text}`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    seed => !TUNING_SEEDS.includes(seed),
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

type Runs = ReadonlyMap<string, readonly Metrics[]>;
const of = (runs: Runs, policy: string, metric: keyof Metrics): number =>
  mean((runs.get(policy) ?? []).map(run => run[metric]));

function rowOf(
  scenario: string,
  isFeasible: boolean,
  runs: Runs,
  goal: Goal,
  isHonest: boolean,
): BenchRow | null {
  const { metric, isHighBest } = goal;
  // An overrun host kills a process: a policy that overruns it has won nothing. The same holds for one that
  // promises more than there is, in rows that tell the two apart.
  const valid = Object.keys(PEERS).filter(
    name =>
      runs.has(name) &&
      of(runs, name, 'hostOverS') === 0 &&
      (!isHonest || of(runs, name, 'promisedOverS') === 0),
  );
  const [first, ...rest] = valid;
  if (first === undefined) return null;
  const better = (a: string, b: string): boolean =>
    isHighBest ? of(runs, a, metric) > of(runs, b, metric) : of(runs, a, metric) < of(runs, b, metric);
  const peer = rest.reduce((best, name) => (better(name, best) ? name : best), first);
  const [mine, theirs] = [of(runs, 'demand', metric), of(runs, peer, metric)];
  const values = (runs.get('demand') ?? []).map(run => run[metric]);
  const behind = isHighBest ? theirs - mine : mine - theirs;
  return {
    work: `${scenario}${isFeasible ? '' : ' (cannot fit)'}: ${metric}${isHonest ? '' : ', peers that over-promise too'}`,
    peer,
    ours: mine,
    theirs,
    ratio: theirs === mine ? 1 : isHighBest ? mine / theirs : theirs / mine,
    spread: (Math.max(...values) - Math.min(...values)) / (median(values) || 1),
    target: isFeasible || !goal.isFloor ? goal.target : 'reported',
    met: behind <= goal.slack(theirs) || (!isFeasible && goal.isFloor),
  };
}

export async function compare({
  options,
  quick,
  say,
}: SuiteOptions): Promise<{ runs: number; violations: string[]; rows: BenchRow[] }> {
  const seeds = seedsOf(options.seeds ?? (quick ? '101..103' : '101..120'));
  const seconds = quick ? SECONDS / 2 : SECONDS;
  const violations: string[] = [];
  const rows: BenchRow[] = [];
  let count = 0;
  const wanted =
    options.policies === undefined || options.policies === 'all'
      ? Object.keys(PEERS)
      : options.policies.split(',');
  const unknown = wanted.filter(name => PEERS[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`no policy ${unknown.join(', ')}; there are ${Object.keys(PEERS).join(', ')}`);
  for (const [index, { name, isFeasible }] of scenarios(0, seconds).entries()) {
    const runs = new Map<string, Metrics[]>();
    for (const seed of seeds) {
      const blame = (what: string): void => void violations.push(`seed ${seed} ${what}`);
      const policies: [string, Policy][] = [
        ['demand', ours('demand', blame)],
        ['proportional', ours('proportional', blame)],
        ...wanted.map((peer): [string, Policy] => [peer, PEERS[peer] as Peer]),
      ];
      for (const [policy, mover] of policies) {
        const scenario = scenarios(seed, seconds)[index];
        if (scenario === undefined) continue;
        const metrics = await runWorld(worldOf(scenario, seed), mover, seconds);
        if (policy === 'demand' || policy === 'proportional') {
          if (metrics.hostOverS > 0)
            violations.push(
              `seed ${seed} ${name} ${policy}: the host was overrun for ${metrics.hostOverS} s`,
            );
        }
        runs.set(policy, [...(runs.get(policy) ?? []), metrics]);
        count++;
      }
    }
    rows.push(...rowsOf(name, isFeasible, runs));
    const least = seeds.map(seed => leastMoved(seed, seconds, index));
    if (least.every(gib => gib !== null))
      rows.push(movedRow(name, of(runs, 'demand', 'movedGib'), mean(least)));
    say(`${name}: ${policyLine(runs)}`);
  }
  const events = await eventRows(seeds);
  return {
    runs: count + events.runs,
    violations: [...violations, ...events.violations],
    rows: [...rows, ...events.rows],
  };
}

function leastMoved(seed: number, seconds: number, index: number): number | null {
  const scenario = scenarios(seed, seconds)[index];
  return scenario === undefined ? null : leastMovedGib(worldOf(scenario, seed), seconds);
}

/** Compared with one that knows the future, as no policy does: reported, and held against nobody. */
const movedRow = (name: string, ours: number, theirs: number): BenchRow => ({
  work: `${name}: movedGib, and what must move for who knows all beforehand`,
  peer: 'offline minimum',
  ours,
  theirs,
  ratio: ours === theirs ? 1 : theirs / ours,
  spread: 0,
  target: `reported: ${MOVED_TIMES} times the offline minimum`,
  met: ours <= MOVED_TIMES * theirs,
});

function rowsOf(name: string, isFeasible: boolean, runs: Runs): BenchRow[] {
  return GOALS.flatMap(goal => {
    const honest = rowOf(name, isFeasible, runs, goal, true);
    const all = rowOf(name, isFeasible, runs, goal, false);
    // Reported a second time only where another peer is the best.
    const both =
      all !== null && all.peer !== honest?.peer && !all.met
        ? [honest, { ...all, target: excludedText(all, goal, runs), met: true }]
        : [honest];
    return both.filter(row => row !== null);
  });
}

/** Tells in figures that two goals exclude each other: the peer's value needs promising too much. */
function excludedText({ peer, ours, theirs }: BenchRow, { metric }: Goal, runs: Runs): string {
  const over = (policy: string): string =>
    `${of(runs, policy, 'promisedOverS').toFixed(0)} s, by up to ${of(runs, policy, 'promisedOverGib').toFixed(1)} GiB`;
  return `reported: M2 and the best ${metric} exclude each other: ${peer} has ${theirs.toFixed(3)}, and promised more than there is for ${over(peer)}; demand has ${ours.toFixed(3)}, and promised more for ${over('demand')}`;
}

const policyLine = (runs: Runs): string =>
  [...runs.keys()]
    .map(
      policy =>
        `${policy} ${of(runs, policy, 'perf').toFixed(3)}/${of(runs, policy, 'p5').toFixed(3)}/${of(runs, policy, 'stallS').toFixed(0)} s`,
    )
    .join(' · ');
