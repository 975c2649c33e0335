// `npm run -s sim -- damage [--seed S] [--flips N] [--quick] [--json]`: single bits turned over in the files
// of rich histories, over all cores. The fates of all flips are printed: none may be silent.
import { inParallel, serveShares } from '../../support/in-parallel.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { type DamageResult, FLIPS, runDamage } from './run.ts';

const ALL = 10_000;
const QUICK = 1000;

serveShares(({ seed, count }) => runDamage(seed, count * FLIPS));

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const flips = Number(options.flips ?? (quick ? QUICK : ALL));
  const violations: string[] = [];
  const fates = new Map<string, number>();
  let runs = 0;
  await inParallel<DamageResult>(import.meta.url, { seed, count: Math.ceil(flips / FLIPS) }, result => {
    runs += result.runs;
    violations.push(...result.violations);
    for (const [fate, count] of Object.entries(result.fates)) fates.set(fate, (fates.get(fate) ?? 0) + count);
  });
  for (const [fate, count] of [...fates].sort()) say(`  ${fate}: ${count}`);
  say(`damage: ${violations.length} wrong of ${runs} flips`);
  return { runs, violations, switchOffs: [] };
}
