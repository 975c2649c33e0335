// `npm run -s sim -- memory [--seed S] [--runs N] [--quick] [--json]`: lives of five minutes under the real
// manager in both modes, the planner's properties, then each safety mechanism is switched off in turn, which
// must be found. `… --policies all --seeds A..B`: mode `demand` against its peers in every scenario instead.
import fc from 'fast-check';
import { MEMORY_SWITCH_OFF_NAMES } from '../../../electron/control/memory/switch-offs.ts';
import { MEMORY_PROPERTIES } from '../../support/memory-properties.ts';
import type { SimOutcome, SuiteOptions, SwitchOffResult } from '../../support/report.ts';
import { compare } from './compare.ts';
import { runEveryDeath, runSafety, runWithout } from './lives.ts';
import { NEIGHBOURS } from './neighbours.ts';

const RUNS = 20_000;
const RUNS_QUICK = 2000;
const MODELS = 100_000;
const MODELS_QUICK = 10_000;
/** One laptop is played through for so many models of the planner. */
const MODELS_PER_LAPTOP = 100;
/** A tide: VMs come and go, and the controller dies once. */
const DEATHS = { seed: 12, seconds: 60 };
/** A mechanism whose loss is not found within so many lives is not tested. */
const SWITCH_OFF_RUNS = 2000;
const SECONDS = 300;
const MODES = ['demand', 'proportional'] as const;

async function switchedOff(seed: number, say: SuiteOptions['say']): Promise<SwitchOffResult[]> {
  const results: SwitchOffResult[] = [];
  for (const mode of MODES)
    for (const name of MEMORY_SWITCH_OFF_NAMES) {
      const given = { seed, runs: SWITCH_OFF_RUNS, seconds: SECONDS, mode };
      const { runs, violations } = await runWithout(name, given);
      results.push({ name: `${name}, ${mode}`, runs, violations: violations.length });
      say(`  without ${name}, ${mode}: ${violations.length} within ${runs} lives: ${violations[0] ?? ''}`);
    }
  return results;
}

const brokenText = (
  title: string,
  seed: number,
  found: { readonly failed: boolean; readonly counterexample: unknown },
): string[] => (found.failed ? [`${title}: seed ${seed}, ${JSON.stringify(found.counterexample)}`] : []);

async function checkProperties(seed: number, models: number): Promise<string[]> {
  const broken = MEMORY_PROPERTIES.flatMap(({ title, property }) =>
    brokenText(title, seed, fc.check(property, { numRuns: models, seed })),
  );
  const laptops = await fc.check(NEIGHBOURS.property, { numRuns: models / MODELS_PER_LAPTOP, seed });
  return [...broken, ...brokenText(NEIGHBOURS.title, seed, laptops)];
}

export async function run(given: SuiteOptions): Promise<SimOutcome> {
  const { seed, quick, options, say } = given;
  if (options.policies !== undefined || options.seeds !== undefined)
    return { ...(await compare(given)), switchOffs: [] };
  const wanted = Number(options.runs ?? (quick ? RUNS_QUICK : RUNS));
  const violations: string[] = [];
  let lives = 0;
  for (const mode of MODES) {
    const found = await runSafety({ seed, runs: Math.ceil(wanted / MODES.length), seconds: SECONDS, mode });
    violations.push(...found.violations);
    lives += found.runs;
    say(
      `memory, ${mode}: ${found.violations.length} wrong in ${found.runs} lives of ${SECONDS} s, ${found.deaths} deaths of the controller`,
    );
  }
  for (const mode of MODES) {
    const found = await runEveryDeath({ ...DEATHS, mode });
    violations.push(...found.violations);
    say(
      `memory, ${mode}: ${found.violations.length} wrong in ${found.steps} lives, a death at each step of one`,
    );
  }
  const models = quick ? MODELS_QUICK : MODELS;
  const broken = await checkProperties(seed, models);
  violations.push(...broken);
  say(`memory: ${broken.length} of ${MEMORY_PROPERTIES.length + 1} properties broken, ${models} models each`);
  return { runs: lives, violations, switchOffs: await switchedOff(seed, say) };
}
