// Runs many simulated lives, one seed each.
import type {
  MEMORY_SWITCH_OFF_NAMES,
  MemorySwitchOffs,
} from '../../../electron/control/memory/switch-offs.ts';
import { type SafetyOptions, SafetyWorld } from './safety.ts';

/** `seconds` of simulated life for each of `runs` seeds, from `seed` on. */
export async function runSafety({
  seed,
  runs,
  seconds,
  mode,
  switchOff = {},
  firstOnly = false,
  every = 1,
}: Omit<SafetyOptions, 'switchOff'> & {
  readonly runs: number;
  readonly switchOff?: MemorySwitchOffs;
  readonly firstOnly?: boolean;
  /** One in so many seeds is lived. */
  readonly every?: number;
}): Promise<{ runs: number; deaths: number; violations: string[] }> {
  const violations: string[] = [];
  let deaths = 0;
  let done = 0;
  for (; done < runs && !(firstOnly && violations.length > 0); done++) {
    const world = new SafetyWorld({ seed: seed + done * every, mode, seconds, switchOff });
    await world.run();
    violations.push(...world.violations);
    deaths += world.deaths;
  }
  return { runs: done, deaths, violations };
}

/** Every eighth seed suits a mechanism (safety.ts): a quiet growth, a silent guest, a tide, a rush. */
const KINDS = 8;
const KIND_OF: Readonly<Partial<Record<SwitchOffName, number>>> = {
  watermarks: 0,
  unmeasuredMargin: 6,
  silentExclusion: 2,
  freshSample: 4,
};
type SwitchOffName = (typeof MEMORY_SWITCH_OFF_NAMES)[number];

/** Runs lives until the first in which the mechanism is missed. */
export function runWithout(
  name: SwitchOffName,
  { seed, runs, seconds, mode }: Pick<SafetyOptions, 'seed' | 'seconds' | 'mode'> & { readonly runs: number },
): Promise<{ runs: number; violations: string[] }> {
  const kind = KIND_OF[name];
  const lives = kind === undefined ? { seed } : { seed: seed - (seed % KINDS) + kind, every: KINDS };
  return runSafety({ ...lives, runs, seconds, mode, switchOff: { [name]: true }, firstOnly: true });
}

/** One life for each step of the journal and of commands: the controller dies at that step. */
export async function runEveryDeath(
  given: Omit<SafetyOptions, 'deathAtStep'>,
): Promise<{ steps: number; violations: string[] }> {
  const violations: string[] = [];
  for (let steps = 0; ; steps++) {
    const world = new SafetyWorld({ ...given, deathAtStep: steps });
    await world.run();
    violations.push(...world.violations.map(what => `death at step ${steps}: ${what}`));
    if (!world.hasDiedAtStep) return { steps, violations };
  }
}
