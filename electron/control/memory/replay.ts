// Replays the ledger (M7): what the planner was given + this code must give the plan that was made. Pure.
import type { MemoryReplay } from '../../../shared/memory.ts';
import type { PlanInput } from './narrator.ts';
import { plan } from './plan.ts';

export interface LedgerInput {
  readonly seq: number;
  /** As it was stored: JSON of a PlanInput, or of null where nothing was planned. */
  readonly json: string;
}

export function replay(inputs: readonly LedgerInput[]): MemoryReplay {
  const planned = inputs.filter(({ json }) => json !== 'null');
  return {
    checked: planned.length,
    differing: planned.filter(({ json }) => !isSame(json)).map(({ seq }) => seq),
  };
}

/** An entry that cannot be planned again counts as different. */
function isSame(json: string): boolean {
  try {
    const input = JSON.parse(json) as PlanInput;
    return JSON.stringify(plan(input.model, input.nowMs)) === JSON.stringify(input.plan);
  } catch {
    return false;
  }
}
