// Every call of every scenario meets every fate. After each death every call of the recovery does, too; after
// each failure the host dies in every later call.
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { Fault } from '../../../shared/result.ts';
import { Seeded } from '../../support/seeded.ts';
import { Calls, type Fate, fatesOf, type Strike } from '../programs/calls.ts';
import { Life } from '../programs/life.ts';
import { Violation } from '../storage/judge.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export interface MatrixOptions {
  readonly seed: number;
  /** One in so many of the calls of a recovery, or after a failure, is struck; 0: none. */
  readonly recoveryEvery: number;
  /** How many of the calls that do the same to the same file are struck first; left out: all. */
  readonly perStep?: number;
  /** On a host that shares and punches only such calls are struck first; the others on one that cannot. */
  readonly sharedOnly?: boolean;
  readonly switchOff?: SwitchOffs;
  readonly firstOnly?: boolean;
  /** Only first strikes at calls of this name, with this fate; second ones only right `after` such a call. */
  readonly only?: { readonly name: string; readonly fate: Fate; readonly after?: string };
}

export interface ScenarioResult {
  readonly name: string;
  /** The names of the counted calls, in order: what each does to which file. */
  readonly steps: readonly string[];
  /** How many runs met each fate first; `again`: struck once more, in the recovery or after the failure. */
  readonly runs: Record<Fate | 'again', number>;
  readonly violations: string[];
}

interface Lived {
  /** The calls of each life: those since the counting began, then those since each death. */
  readonly lives: readonly (readonly string[])[];
  readonly isSpent: boolean;
  readonly wrong: string | null;
}

async function live(
  scenario: Scenario,
  seed: number,
  strikes: readonly Strike[],
  off: SwitchOffs,
): Promise<Lived> {
  const calls = new Calls(strikes);
  const life = new Life(seed, off, calls, scenario.host);
  const { before, counted } = scenario;
  let wrong: string | null = null;
  try {
    await life.run({ operations: [...before, ...(counted ?? [])] }, counted === null ? -1 : before.length);
  } catch (cause) {
    const what =
      cause instanceof Violation || cause instanceof Fault
        ? cause.message
        : cause instanceof Error
          ? cause.stack
          : String(cause);
    wrong = `at ${life.done.at(-1)}: ${what}`;
  }
  return { lives: calls.lives, isSpent: calls.isSpent, wrong };
}

const isDeath = (fate: Fate): boolean => fate === 'power' || fate === 'process';

export const isSharing = (name: string): boolean => name.startsWith('clone') || name.startsWith('punch');

/** The calls that may be struck first, by index. */
export const strikeable = ({ host }: Scenario, names: readonly string[], sharedOnly = false): number[] =>
  [...names.keys()].filter(call => !(sharedOnly && host.canClone) || isSharing(names[call] ?? ''));

/** Of the calls of each name, `perStep` indices. */
export function chosen(
  names: readonly string[],
  calls: readonly number[],
  perStep: number,
  random: Seeded,
): Set<number> {
  const byName = Map.groupBy(calls, call => names[call] ?? '');
  const left = [...byName.values()].flatMap(calls => {
    while (calls.length > perStep) calls.splice(random.below(calls.length), 1);
    return calls;
  });
  return new Set(left);
}

/** What may strike next: anything in a recovery; after a failure, which is tried again, only deaths. */
function after(first: Strike, { lives }: Lived): Strike[] {
  const next = lives.flatMap((names, life) =>
    names.flatMap((name, call) => fatesOf(name).map(fate => ({ life, call, fate }))),
  );
  return next.filter(
    ({ life, call, fate }) =>
      life > first.life ||
      (life === first.life && call > first.call && !isDeath(first.fate) && isDeath(fate)),
  );
}

/** All fates at all calls of one scenario. `seed` chooses the disks and the order in which things end. */
export async function runScenario(
  scenario: Scenario,
  { seed, recoveryEvery, perStep, sharedOnly, switchOff = {}, firstOnly = false, only }: MatrixOptions,
): Promise<ScenarioResult> {
  const whole = await live(scenario, seed, [], switchOff);
  // A scenario that loses the timeline has two lives of its own.
  const firsts = whole.lives.flatMap((names, life) => names.map((name, call) => ({ life, call, name })));
  const names = firsts.map(({ name }) => name);
  const violations: string[] = [];
  const runs = { power: 0, process: 0, full: 0, io: 0, short: 0, again: 0 };
  const note = (strikes: readonly Strike[], lived: Lived): void => {
    // A strike that never fell has tested nothing.
    const wrong = lived.wrong ?? (lived.isSpent ? null : 'it was never struck');
    if (wrong === null) return;
    const where = strikes.map(({ life, call, fate }) => `${fate} at ${life}.${call}`).join(', ');
    const [first] = strikes;
    const step = first && whole.lives[first.life]?.[first.call];
    violations.push(`${scenario.name}, seed ${seed}: ${where} (${step}): ${wrong}`);
  };
  note([], whole);
  const random = new Seeded(seed);
  const struck = chosen(
    names,
    strikeable(scenario, names, sharedOnly),
    perStep ?? Number.POSITIVE_INFINITY,
    random,
  );
  for (const [index, { life, call, name }] of firsts.entries()) {
    if (!struck.has(index)) continue;
    for (const fate of fatesOf(name)) {
      if (firstOnly && violations.length > 0) break;
      if (only !== undefined && (only.name !== name || only.fate !== fate)) continue;
      const first = { life, call, fate };
      const strikes = [first];
      const lived = await live(scenario, seed, strikes, switchOff);
      runs[fate]++;
      note(strikes, lived);
      if (recoveryEvery === 0) continue;
      for (const second of after(first, lived)) {
        if (firstOnly && violations.length > 0) break;
        if (only?.after !== undefined && only.after !== lived.lives[second.life]?.[second.call - 1]) continue;
        if (random.below(recoveryEvery) > 0) continue;
        const both = [...strikes, second];
        runs.again++;
        note(both, await live(scenario, seed, both, switchOff));
      }
    }
  }
  return { name: scenario.name, steps: names, runs, violations };
}

export async function runMatrix(options: MatrixOptions): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of SCENARIOS) results.push(await runScenario(scenario, options));
  return results;
}
