// Every call of every scenario meets every fate; after each death every call of the recovery does, and after each failure
// every later call is died in.
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { Fault } from '../../../shared/result.ts';
import { Seeded } from '../../support/seeded.ts';
import { Calls, type Fate, fatesOf, type Strike } from '../programs/calls.ts';
import { Life } from '../programs/life.ts';
import { Violation } from '../storage/judge.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export interface MatrixOptions {
  readonly seed: number;
  /** One in so many of the calls of recoveries, or after a failure, is struck; 0: none. */
  readonly recoveryEvery: number;
  /** Of the calls that do the same to the same file so many are struck first; left out: all. */
  readonly perStep?: number;
  /** On a host that shares and punches, of the first strikes only those at these: the rest is met on one that cannot. */
  readonly sharedOnly?: boolean;
  readonly switchOff?: SwitchOffs;
  readonly firstOnly?: boolean;
  /** Of the first strikes those at these calls, by name, and of these fates; of the second those right `after` such a call. */
  readonly only?: { readonly name: string; readonly fate: Fate; readonly after?: string };
}

export interface ScenarioResult {
  readonly name: string;
  /** The calls counted, in order, by what they do to which file. */
  readonly steps: readonly string[];
  /** How many runs met each fate first; `again`: in the recovery, or after it failed. */
  readonly runs: Record<Fate | 'again', number>;
  readonly violations: string[];
}

interface Lived {
  /** Since the last death, or since the counting began. */
  readonly names: readonly string[];
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
  return { names: calls.names, isSpent: calls.isSpent, wrong };
}

const isDeath = (fate: Fate): boolean => fate === 'power' || fate === 'process';

export const isSharing = (name: string): boolean => name.startsWith('clone') || name.startsWith('punch');

/** Those that may be struck first. */
export const strikeable = ({ host }: Scenario, names: readonly string[], sharedOnly = false): number[] =>
  [...names.keys()].filter(call => !(sharedOnly && host.canClone) || isSharing(names[call] ?? ''));

/** So many of each name, of their indices. */
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

/** All fates at all calls of one scenario; `seed` chooses the disks and the order in which things end. */
export async function runScenario(
  scenario: Scenario,
  { seed, recoveryEvery, perStep, sharedOnly, switchOff = {}, firstOnly = false, only }: MatrixOptions,
): Promise<ScenarioResult> {
  const whole = await live(scenario, seed, [], switchOff);
  const violations: string[] = [];
  const runs = { power: 0, process: 0, full: 0, io: 0, short: 0, again: 0 };
  const note = (strikes: readonly Strike[], lived: Lived): void => {
    // A strike that never fell tried nothing.
    const wrong = lived.wrong ?? (lived.isSpent ? null : 'it was never struck');
    if (wrong === null) return;
    const where = strikes.map(({ call, fate }) => `${fate} at ${call}`).join(', ');
    violations.push(
      `${scenario.name}, seed ${seed}: ${where} (${whole.names[strikes[0]?.call ?? 0]}): ${wrong}`,
    );
  };
  note([], whole);
  const random = new Seeded(seed);
  const struck = chosen(
    whole.names,
    strikeable(scenario, whole.names, sharedOnly),
    perStep ?? Number.POSITIVE_INFINITY,
    random,
  );
  for (const [call, name] of whole.names.entries()) {
    if (!struck.has(call)) continue;
    for (const fate of fatesOf(name)) {
      if (firstOnly && violations.length > 0) break;
      if (only !== undefined && (only.name !== name || only.fate !== fate)) continue;
      const strikes = [{ call, fate }];
      const lived = await live(scenario, seed, strikes, switchOff);
      runs[fate]++;
      note(strikes, lived);
      if (recoveryEvery === 0) continue;
      for (const [again, step] of lived.names.entries()) {
        if (only?.after !== undefined && only.after !== lived.names[again - 1]) continue;
        for (const second of fatesOf(step)) {
          // What failed is tried again, and may be died in; nothing else follows it.
          if (!isDeath(fate) && (again <= call || !isDeath(second))) continue;
          if (random.below(recoveryEvery) > 0) continue;
          const both = [...strikes, { call: again, fate: second }];
          runs.again++;
          note(both, await live(scenario, seed, both, switchOff));
        }
      }
    }
  }
  return { name: scenario.name, steps: whole.names, runs, violations };
}

export async function runMatrix(options: MatrixOptions): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of SCENARIOS) results.push(await runScenario(scenario, options));
  return results;
}
