// `npm run -s bench -- storage [--only hot,cold] [--quick] [--json]`: our NBD server and our timeline beside other programs
// on the same content, in turn in one run. Medians of the repetitions; spread is (max − min) ÷ median of ours.
import { buildAll } from '../../../build/build-all.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { chains } from './chains.ts';
import { cold } from './cold.ts';
import { firstWrites } from './first-writes.ts';
import { hot } from './hot.ts';
import { memory } from './memory.ts';
import { points } from './points.ts';
import { reflinks } from './reflinks.ts';
import { reversals } from './reversals.ts';
import { takes } from './takes.ts';

const PARTS: Readonly<Record<string, (options: SuiteOptions) => Promise<BenchRow[]>>> = {
  hot,
  chains,
  cold,
  'first-writes': firstWrites,
  reversals,
  reflinks,
  takes,
  points,
  memory,
};

export async function run(options: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  const only = options.options.only?.split(',') ?? Object.keys(PARTS);
  await buildAll({ always: false });
  const rows: BenchRow[] = [];
  for (const name of only) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`--only ${name}: one of ${Object.keys(PARTS).join(', ')}`);
    rows.push(...(await part(options)));
  }
  return { rows };
}
