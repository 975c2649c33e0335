// `npm run -s sim -- access [--seed S] [--runs N] [--quick] [--json]`: no sequence of calls, policies and
// edits reaches a state outside the bounds, and nobody who came with a token or a link can do more than its
// role may, or anything once it is gone. Then each cell of role × method over the wire; then each place that
// enforces this is switched off, which must be found.
import type { SimOutcome, SuiteOptions, SwitchOffResult } from '../../support/report.ts';
import { runLife, runMatrix } from './lives.ts';
import { ACCESS_SWITCH_OFFS } from './world.ts';

const RUNS = 200;
const RUNS_QUICK = 20;
const STEPS = 60;

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const runs = Number(options.runs ?? (quick ? RUNS_QUICK : RUNS));
  const violations: string[] = [];
  let [accepted, refused, tried] = [0, 0, 0];
  for (let at = 0; at < runs; at++) {
    const life = await runLife(seed + at, STEPS);
    violations.push(...life.violations);
    accepted += life.accepted;
    refused += life.refused;
    tried += life.tried;
  }
  say(
    `  ${runs} lives of ${STEPS} steps: ${accepted} calls done, ${refused} refused, ${tried} from elsewhere, ${violations.length} violations`,
  );
  const matrix = await runMatrix();
  violations.push(...matrix.violations);
  say(
    `  ${matrix.cells} cells of role × method, by token and by link: ${matrix.violations.length} violations`,
  );
  const switchOffs: SwitchOffResult[] = [];
  for (const name of ACCESS_SWITCH_OFFS) {
    let [tried, found] = [0, 0];
    while (found === 0 && tried < runs) {
      found = (await runLife(seed + tried, STEPS, name)).violations.length;
      tried += 1;
    }
    switchOffs.push({ name, runs: tried, violations: found });
    say(`  without ${name}: ${found} within ${tried} lives`);
  }
  return { runs, violations: violations.slice(0, 100), switchOffs };
}
