// Four real guests under one budget, and one cgroup around them, ask for memory as a trace says: once under each policy,
// carried out by the same controller. The simulator plays the same trace; whether it ranks the policies alike is told.
import { readFileSync } from 'node:fs';
import { PEERS } from '../../sim/memory/compare.ts';
import { ours } from '../../sim/memory/ours.ts';
import type { Mover, Peer, PeerWorld } from '../../sim/memory/peers/host.ts';
import { type Metrics, type Policy, runWorld, worldOf } from '../../sim/memory/world.ts';
import { type Ebb, pause, waitFor } from '../../support/ebb.ts';
import { startFromFixtures } from '../../support/fixtures.ts';
import { memoryGroup } from '../../support/memory-group.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { setup } from '../../support/run-folder.ts';
import { Seeded } from '../../support/seeded.ts';
import { type Felt, RealGuest } from './real-guest.ts';
import { GUESTS, GUESTS_MIB, HOST_MIB, MARGIN_MIB, SCALE, simulated, traceOf } from './trace.ts';

const MIB = 1024;
const STEP_MS = 500;
const IDLE_MS = 20_000;
/** MiB a guest's program touches each quarter of a second. */
const RATE = 5;
/** Control, storage and the page cache they need. */
const SERVICES_MIB = 500;
const MODES = ['demand', 'proportional'] as const;
const QUICK = ['static', 'qubes mended', 'esx'];

export interface Replayed {
  /** Of what was asked for; 1 is all. */
  readonly work: number;
  readonly stallS: number;
  readonly swapMib: number;
  readonly kills: number;
  readonly hostKills: number;
  readonly movedMib: number;
  /** As the ledger tells them; QMP commands are counted by controller.ts. */
  readonly movesPerMin: number;
  readonly controllerIdlePercent: number;
  readonly controllerCpuS: number;
  /** From the budget's change to the first memory that came back, and until all was as planned. */
  readonly firstReleaseS: number;
  readonly planReachedS: number;
}

interface Run {
  readonly ebb: Ebb;
  readonly guests: readonly RealGuest[];
  readonly budgetKib: number;
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const isMode = (policy: string): policy is (typeof MODES)[number] => MODES.includes(policy as never);

async function resumed(ebb: Ebb): Promise<Run> {
  const guests: RealGuest[] = [];
  for (const name of Object.keys(GUESTS)) {
    const { vmId } = await ebb.vmNamed(name);
    const agent = await ebb.startVm(vmId);
    const { overheadKib } = await ebb.call('memory.show', { vmId });
    const startMib = Math.floor(GUESTS_MIB / Object.keys(GUESTS).length);
    const guest = new RealGuest(ebb, agent, { vmId, overheadKib, startMib });
    await guest.swapOn();
    guests.push(guest);
  }
  const overheads = sum(guests.map(guest => guest.setup.overheadMib)) / SCALE;
  return { ebb, guests, budgetKib: Math.round(GUESTS_MIB + overheads) * MIB };
}

const worldFor = ({ guests }: Run, seed: number): PeerWorld & { nowS: number } => ({
  scenario: {
    totalMib: GUESTS_MIB * SCALE + sum(guests.map(guest => guest.setup.overheadMib)) + HOST_MIB + MARGIN_MIB,
  },
  guests,
  random: new Seeded(seed),
  useMib: HOST_MIB,
  nowS: 0,
});

/** From plenty to the budget: an event, and the time until it is carried out. */
async function squeeze(run: Run, policy: string): Promise<{ firstReleaseS: number; planReachedS: number }> {
  const { ebb, guests, budgetKib } = run;
  await Promise.all(guests.map(guest => guest.observe()));
  const full = sum(guests.map(guest => guest.actual));
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1000;
  await ebb.call('memory.set-policy', { budgetKib, mode: isMode(policy) ? policy : 'proportional' });
  if (!isMode(policy)) for (const guest of guests) await guest.send();
  let firstReleaseS: number | null = null;
  await waitFor('the guests to be within their budget', async () => {
    const host = await ebb.call('memory.host', {});
    const actual = sum(host.vms.map(vm => ((vm.actualKib ?? 0) / MIB) * SCALE));
    if (actual < full - SCALE) firstReleaseS ??= since();
    const isThere = host.vms.every(vm => Math.abs((vm.actualKib ?? 0) - (vm.targetKib ?? 0)) <= 4 * MIB);
    return isThere && host.committedKib <= budgetKib;
  });
  return { firstReleaseS: firstReleaseS ?? since(), planReachedS: since() };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Of a core, with four VMs that do nothing. */
async function idlePercent(ebb: Ebb): Promise<number> {
  const before = cpuSeconds(ebb.controlPid());
  await pause(IDLE_MS);
  return (100 * (cpuSeconds(ebb.controlPid()) - before) * 1000) / IDLE_MS;
}

/** Steps half a second apart, as near as a busy machine keeps them; policies' periods count steps. */
async function play(
  run: Run,
  mover: Mover | null,
  world: PeerWorld & { nowS: number },
  seconds: number,
): Promise<void> {
  const began = performance.now();
  for (let step = 1; step * STEP_MS <= seconds * 1000; step++) {
    await pause(Math.max(0, began + step * STEP_MS - performance.now()));
    await Promise.all(run.guests.map(guest => guest.observe()));
    world.nowS = (step * STEP_MS) / 1000;
    await mover?.step();
    if (mover !== null) for (const guest of run.guests) await guest.send();
  }
  mover?.end?.();
}

async function movesSince(ebb: Ebb, at: number): Promise<number> {
  const { entries } = await ebb.call('memory.ledger', { vmId: null, limit: 1000 });
  return sum(entries.filter(entry => entry.at >= at).map(entry => entry.moves.length));
}

async function replayOne(
  policy: string,
  peer: Peer | null,
  given: { seed: number; seconds: number; say: SuiteOptions['say'] },
): Promise<Replayed> {
  const { seed, seconds, say } = given;
  const ebb = await startFromFixtures(GUESTS, 'replay');
  const limitMib = GUESTS_MIB + 4 * 110 + SERVICES_MIB;
  const group = memoryGroup(`ebb-replay-${process.pid}`, limitMib * 2 ** 20, say);
  try {
    group?.enter(ebb.controlPid());
    group?.enter(await ebb.storagePid());
    const run = await resumed(ebb);
    const event = await squeeze(run, policy);
    const before = await Promise.all(run.guests.map(guest => guest.felt()));
    const controllerIdlePercent = await idlePercent(ebb);
    const [cpu, at] = [cpuSeconds(ebb.controlPid()), Date.now()];
    const trace = traceOf(seed, seconds);
    for (const [index, guest] of run.guests.entries())
      await guest.start(
        Array.from({ length: seconds }, (_, second) => trace[index]?.(second) ?? 0),
        RATE,
      );
    const world = worldFor(run, seed);
    await play(run, peer?.(world) ?? null, world, seconds);
    const after = await Promise.all(run.guests.map(guest => guest.felt()));
    const over = (of: keyof Felt): number =>
      sum(after.map((felt, index) => felt[of] - (before[index]?.[of] ?? 0)));
    return {
      ...event,
      work: over('done') / Math.max(1, over('asked')),
      stallS: over('stallS'),
      swapMib: over('swapMib'),
      kills: over('kills'),
      hostKills: group?.kills() ?? 0,
      movedMib: sum(run.guests.map(guest => guest.movedMib)),
      movesPerMin: ((await movesSince(ebb, at)) * 60) / seconds,
      controllerIdlePercent,
      controllerCpuS: cpuSeconds(ebb.controlPid()) - cpu,
    };
  } finally {
    await ebb.dispose();
    await group?.remove();
  }
}

async function simulate(policy: string, seed: number, seconds: number): Promise<Metrics> {
  const mover: Policy = isMode(policy) ? ours(policy, () => undefined) : (PEERS[policy] as Peer);
  return runWorld(worldOf(simulated(traceOf(seed, seconds)), seed), mover, seconds);
}

/** Spearman's, ties sharing their ranks: 1 the same order, −1 the reverse. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] =>
    values.map(value => {
      const below = values.filter(other => other < value).length;
      return below + (values.filter(other => other === value).length - 1) / 2;
    });
  const [ra, rb] = [ranks(a), ranks(b)];
  const middle = (a.length - 1) / 2;
  const dot = (x: readonly number[], y: readonly number[]): number =>
    sum(x.map((value, index) => (value - middle) * ((y[index] ?? 0) - middle)));
  return dot(ra, rb) / (Math.sqrt(dot(ra, ra) * dot(rb, rb)) || 1);
}

interface Figure {
  readonly metric: keyof Replayed;
  readonly isHighBest: boolean;
  readonly target: string;
  /** How far behind still counts as tied; null: reported only. */
  readonly slack: ((theirs: number) => number) | null;
}
const FIGURES: readonly Figure[] = [
  { metric: 'work', isHighBest: true, target: 'floor: no less than any peer', slack: () => 0.01 },
  {
    metric: 'stallS',
    isHighBest: false,
    target: 'floor: no more than any peer',
    slack: s => Math.max(0.5, s / 10),
  },
  { metric: 'kills', isHighBest: false, target: 'floor: no more than any peer', slack: () => 0 },
  {
    metric: 'swapMib',
    isHighBest: false,
    target: 'goal: no more than any peer',
    slack: mib => Math.max(16, mib / 10),
  },
  ...(
    [
      'hostKills',
      'movedMib',
      'movesPerMin',
      'controllerIdlePercent',
      'controllerCpuS',
      'firstReleaseS',
      'planReachedS',
    ] as const
  ).map(metric => ({ metric, isHighBest: false, target: 'reported', slack: null })),
];

function rowOf(
  { metric, isHighBest, target, slack }: Figure,
  peer: string,
  ours: Replayed,
  other: Replayed,
): BenchRow {
  const [mine, theirs] = [ours[metric], other[metric]];
  const behind = isHighBest ? theirs - mine : mine - theirs;
  return {
    work: `real guests: ${metric}`,
    peer,
    ours: mine,
    theirs,
    ratio: mine === theirs ? 1 : isHighBest ? mine / theirs : theirs / mine,
    spread: 0,
    target,
    met: slack === null || behind <= slack(theirs),
  };
}

function rowsOf(real: ReadonlyMap<string, Replayed>, simulations: ReadonlyMap<string, Metrics>): BenchRow[] {
  const mine = real.get('demand');
  if (mine === undefined) return [];
  const rows = [...real]
    .filter(([peer]) => peer !== 'demand')
    .flatMap(([peer, theirs]) => FIGURES.map(figure => rowOf(figure, peer, mine, theirs)));
  const names = [...real.keys()];
  const correlate = (of: (policy: string) => number, as: (policy: string) => number): number =>
    rankCorrelation(names.map(of), names.map(as));
  const told = (of: string, correlation: number): BenchRow => ({
    work: `rank correlation of ${names.length} policies, simulated and real: ${of}`,
    peer: 'simulator',
    ours: correlation,
    theirs: 1,
    ratio: correlation,
    spread: 0,
    target: 'at least 0.9, before simulated wins are believed',
    met: correlation >= 0.9,
  });
  const work = correlate(
    name => real.get(name)?.work ?? 0,
    name => simulations.get(name)?.perf ?? 0,
  );
  const stall = correlate(
    name => real.get(name)?.stallS ?? 0,
    name => simulations.get(name)?.stallS ?? 0,
  );
  return [...rows, told('work', work), told('stall', stall)];
}

export async function replay({ seed, quick, options, say }: SuiteOptions): Promise<BenchRow[]> {
  const seconds = Number(options.seconds ?? (quick ? 60 : 120));
  const peers = options.policies?.split(',') ?? (quick ? QUICK : Object.keys(PEERS));
  const end = setup();
  try {
    const [real, simulations] = [new Map<string, Replayed>(), new Map<string, Metrics>()];
    for (const policy of [...MODES, ...peers]) {
      const peer = isMode(policy) ? null : (PEERS[policy] ?? null);
      if (peer === null && !isMode(policy)) throw new Error(`no policy ${policy}`);
      const found = await replayOne(policy, peer, { seed, seconds, say });
      real.set(policy, found);
      const alike = await simulate(policy, seed, seconds);
      simulations.set(policy, alike);
      say(
        `${policy}: work ${(100 * found.work).toFixed(1)} %, stalled ${found.stallS.toFixed(1)} s, swapped ${found.swapMib.toFixed(0)} MiB, ${found.kills} killed; simulated ${alike.perf.toFixed(3)}, ${alike.stallS.toFixed(0)} s`,
      );
    }
    return rowsOf(real, simulations);
  } finally {
    end();
  }
}
