// `npm run -s bench -- memory [--quick] [--json] [--seconds N] [--policies A,B]`: how long a plan takes; what the
// controller costs (controller.ts); then four real
// guests replay a trace under each policy (replay.ts).
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { controller } from './controller.ts';
import { planning } from './planning.ts';
import { replay } from './replay.ts';

export async function run(given: SuiteOptions): Promise<{ rows: readonly BenchRow[] }> {
  return { rows: [...planning(given), ...(await controller(given)), ...(await replay(given))] };
}
