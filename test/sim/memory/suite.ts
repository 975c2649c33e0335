// `npm run -s sim -- memory [--seed S] [--runs N] [--quick] [--json]`: lives of five minutes under the real manager, then
// each safety mechanism switched off in turn, which must be missed.
import { MEMORY_SWITCH_OFF_NAMES } from '../../../electron/control/memory/switch-offs.ts';
import type { SimOutcome, SuiteOptions, SwitchOffResult } from '../../support/report.ts';
import { runSafety } from './safety.ts';

const RUNS = 20_000;
const RUNS_QUICK = 2000;
/** A switched-off mechanism that is not missed within so many lives is not tested. */
const SWITCH_OFF_RUNS = 2000;
const SECONDS = 300;
const MODE = 'proportional';

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const wanted = Number(options.runs ?? (quick ? RUNS_QUICK : RUNS));
  const { runs, deaths, violations } = await runSafety({ seed, runs: wanted, seconds: SECONDS, mode: MODE });
  say(
    `memory: ${violations.length} wrong in ${runs} lives of ${SECONDS} s, ${deaths} deaths of the controller`,
  );
  const switchOffs: SwitchOffResult[] = [];
  for (const name of MEMORY_SWITCH_OFF_NAMES) {
    const found = await runSafety({
      seed,
      runs: SWITCH_OFF_RUNS,
      seconds: SECONDS,
      mode: MODE,
      switchOff: { [name]: true },
      firstOnly: true,
    });
    switchOffs.push({ name, runs: found.runs, violations: found.violations.length });
    say(
      `  without ${name}: ${found.violations.length} within ${found.runs} lives: ${found.violations[0] ?? ''}`,
    );
  }
  return { runs, violations, switchOffs };
}
