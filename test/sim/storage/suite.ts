// `npm run -s sim -- storage [--seed S] [--crashes N] [--quick] [--json]`: crashes on the real engine, then each safety
// mechanism switched off in turn, which must be missed.
import { SWITCH_OFF_NAMES } from '../../../electron/storage/disk/switch-offs.ts';
import type { SimOutcome, SuiteOptions, SwitchOffResult } from '../../support/report.ts';
import { runStorageSimInParallel } from './run.ts';

const CRASHES = 20_000;
const CRASHES_QUICK = 3000;
/** A switched-off mechanism that is not missed within so many is not tested. */
const SWITCH_OFF_CRASHES = 20_000;

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const crashes = Number(options.crashes ?? (quick ? CRASHES_QUICK : CRASHES));
  const { runs, violations, during } = await runStorageSimInParallel({
    seed,
    crashes,
    alternatives: 2,
  });
  say(`storage: ${violations.length} wrong of ${runs} crashes`);
  const kinds = Object.entries(during).sort(([, a], [, b]) => b - a);
  say(`  fell in: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  const switchOffs: SwitchOffResult[] = [];
  for (const name of SWITCH_OFF_NAMES) {
    const found = await runStorageSimInParallel({
      seed,
      crashes: SWITCH_OFF_CRASHES,
      switchOff: { [name]: true },
      firstOnly: true,
    });
    switchOffs.push({ name, runs: found.runs, violations: found.violations.length });
    say(`  without ${name}: ${found.violations.length} within ${found.runs} crashes`);
  }
  return { runs, violations, switchOffs };
}
