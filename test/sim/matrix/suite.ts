// `npm run -s sim -- matrix [--seed S] [--seeds N] [--from K] [--to L] [--quick] [--json]`: every call of
// every operation meets every fate, and so does every call of the recovery from each death. Each seed is
// another shape of the disks and another order. All of it takes hours: `--from` and `--to` number the
// scenarios, and each is reported when it ends.
import { inParallel, serveShares } from '../../support/in-parallel.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { FATES } from '../programs/calls.ts';
import { runScenario, type ScenarioResult } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { tableOf } from './table.ts';

const SEEDS = 1;
const RECOVERY_QUICK = 20;

/** Piece `seed` is scenario `seed % SCENARIOS`, with the first seed plus the number of rounds before. */
serveShares<ScenarioResult[], { readonly seed: number; readonly recoveryEvery: number }>(
  async ({ seed, count }, { seed: first, recoveryEvery }) => {
    const results: ScenarioResult[] = [];
    for (let work = seed; work < seed + count; work++) {
      const scenario = SCENARIOS[work % SCENARIOS.length];
      if (scenario === undefined) continue;
      const own = first + Math.floor(work / SCENARIOS.length);
      results.push(await runScenario(scenario, { seed: own, recoveryEvery }));
    }
    return results;
  },
);

const met = ({ runs }: ScenarioResult): number =>
  1 + runs.again + FATES.reduce((sum, fate) => sum + runs[fate], 0);

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const seeds = Number(options.seeds ?? SEEDS);
  const [from, to] = [Number(options.from ?? 0), Number(options.to ?? seeds * SCENARIOS.length)];
  const data = { seed, recoveryEvery: quick ? RECOVERY_QUICK : 1 };
  const results: ScenarioResult[] = [];
  await inParallel<ScenarioResult[]>(
    import.meta.url,
    { seed: from, count: to - from, share: 1, data },
    share => {
      results.push(...share);
      for (const result of share) say(`${result.name}: ${result.violations.length} wrong of ${met(result)}`);
    },
  );
  say(tableOf(results));
  const violations = results.flatMap(row => row.violations);
  return { runs: results.reduce((sum, row) => sum + met(row), 0), violations, switchOffs: [] };
}
