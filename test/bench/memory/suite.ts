// `npm run -s bench -- memory [--quick] [--json] [--seconds N] [--policies A,B]`: how long a plan takes; then four real
// guests replay a trace under each policy (replay.ts).
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { planning } from './planning.ts';
import { replay } from './replay.ts';

export async function run(given: SuiteOptions): Promise<{ rows: readonly BenchRow[] }> {
  return { rows: [...planning(given), ...(await replay(given))] };
}
