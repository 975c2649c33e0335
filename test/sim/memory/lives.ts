// Many simulated lives, one seed each.
import type { MemorySwitchOffs } from '../../../electron/control/memory/switch-offs.ts';
import { type SafetyOptions, SafetyWorld } from './safety.ts';

/** `seconds` of simulated life for each of `runs` seeds, from `seed` on. */
export async function runSafety({
  seed,
  runs,
  seconds,
  mode,
  switchOff = {},
  firstOnly = false,
}: Omit<SafetyOptions, 'switchOff'> & {
  readonly runs: number;
  readonly switchOff?: MemorySwitchOffs;
  readonly firstOnly?: boolean;
}): Promise<{ runs: number; deaths: number; violations: string[] }> {
  const violations: string[] = [];
  let deaths = 0;
  let done = 0;
  for (; done < runs && !(firstOnly && violations.length > 0); done++) {
    const world = new SafetyWorld({ seed: seed + done, mode, seconds, switchOff });
    await world.run();
    violations.push(...world.violations);
    deaths += world.deaths;
  }
  return { runs: done, deaths, violations };
}

/** One life for each step of the journal and of commands, in which the controller dies at that step. */
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
