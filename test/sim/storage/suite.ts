// `npm run -s sim -- storage [--seed S] [--crashes N] [--quick] [--json]`: crashes of the real engine, then
// each safety mechanism is switched off in turn, which the simulation must find.
import type { SimOutcome, SuiteOptions, SwitchOffResult } from '../../support/report.ts';
import { neverIn, runStorageSimInParallel, SWITCHED_OFF } from './run.ts';
import { SWITCH_OFF_SEEDS } from './seeds.ts';

const CRASHES = 20_000;
const CRASHES_QUICK = 3000;
const ENOUGH_FOR_ALL = 2500;
/** A mechanism whose loss is not found within so many crashes is not tested. */
const SWITCH_OFF_CRASHES = 20_000;

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const crashes = Number(options.crashes ?? (quick ? CRASHES_QUICK : CRASHES));
  const { runs, violations, during } = await runStorageSimInParallel(
    { seed, crashes, alternatives: 2 },
    // A long run may be done in parts: the next part begins with this seed.
    (all, nextSeed) =>
      say(`storage: ${all.violations.length} wrong of ${all.runs} crashes; next seed ${nextSeed}`),
  );
  say(`storage: ${violations.length} wrong of ${runs} crashes`);
  const kinds = Object.entries(during).sort(([, a], [, b]) => b - a);
  say(`  fell in: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  const never = runs < ENOUGH_FOR_ALL ? [] : neverIn(during);
  const all = [...violations, ...never.map(kind => `there was no ${kind}`)];
  const switchOffs: SwitchOffResult[] = [];
  for (const name of SWITCHED_OFF) {
    const found = await runStorageSimInParallel({
      seed: SWITCH_OFF_SEEDS[name] ?? seed,
      crashes: SWITCH_OFF_CRASHES,
      switchOff: { [name]: true },
      firstOnly: true,
    });
    switchOffs.push({ name, runs: found.runs, violations: found.violations.length });
    if (found.violations.length === 0) all.push(`nothing is wrong without ${name} in ${found.runs} crashes`);
    say(`  without ${name}: ${found.violations.length} within ${found.runs} crashes`);
  }
  return { runs, violations: all, switchOffs };
}
