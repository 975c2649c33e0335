// `npm run -s sim -- programs [--seed S] [--programs N] [--quick] [--json]`: programs of fifty operations
// against the oracle, over all cores. `--program '{…}'` runs one, as a violation prints it.
import { inParallel, serveShares } from '../../support/in-parallel.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { type ProgramsResult, runProgram, runPrograms } from './run.ts';

const PROGRAMS = 20_000;
const PROGRAMS_QUICK = 1000;

serveShares(({ seed, count }) => runPrograms(seed, count));

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  if (options.program !== undefined) {
    const wrong = await runProgram(JSON.parse(options.program));
    return { runs: 1, violations: wrong === null ? [] : [wrong], switchOffs: [] };
  }
  const count = Number(options.programs ?? (quick ? PROGRAMS_QUICK : PROGRAMS));
  const violations: string[] = [];
  let [runs, refusals] = [0, 0];
  await inParallel<ProgramsResult>(import.meta.url, { seed, count }, result => {
    runs += result.runs;
    refusals += result.refusals;
    violations.push(...result.violations);
    for (const violation of result.violations) say(violation);
    if (runs % 1000 < result.runs) say(`programs: ${violations.length} wrong of ${runs}`);
  });
  say(`programs: refused for want of room ${refusals} times`);
  return { runs, violations, switchOffs: [] };
}
