// "Free so much of this computer's memory now": what VMs can give back for it, by the same planner called dry. Pure.
import type { FreePreview } from '../../../shared/memory.ts';
import { amountText } from '../../../shared/units.ts';
import { type HostModel, promisedKib, totalCommittedKib } from './model.ts';
import { plan } from './plan.ts';
import { changesText, changesTo } from './preview.ts';

export interface Freeing {
  /** What VMs may hold in all meanwhile. */
  readonly budgetKib: number;
  readonly preview: FreePreview;
}

/** `wantedKib` of the host available in all; null where it is so already. */
export function freeing(
  host: HostModel,
  availableKib: number,
  wantedKib: number,
  nowMs: number,
): Freeing | null {
  const missingKib = wantedKib - availableKib;
  if (missingKib <= 0) return null;
  const mostKib = host.vms
    .filter(vm => vm.held === null)
    .reduce((sum, vm) => sum + Math.max(0, promisedKib(vm) - vm.minKib), 0);
  const freeableKib = Math.min(missingKib, mostKib);
  const budgetKib = totalCommittedKib(host) + host.leasedKib - freeableKib;
  const after = plan({ ...host, budgetKib: Math.min(host.budgetKib, budgetKib) }, nowMs);
  const changes = changesTo(host, after);
  const isEnough = freeableKib === missingKib;
  const list = changesText(changes.filter(({ fromKib, toKib }) => toKib < fromKib));
  const gives = list === '' ? '' : ` ${list}.`;
  const sentence = isEnough
    ? `VMs give back ${amountText(missingKib)}.${gives}`
    : `VMs can give back ${amountText(freeableKib)} of the ${amountText(missingKib)} that are missing: then all are at their minimum.${gives}`;
  return { budgetKib, preview: { isEnough, freeableKib, sentence, changes } };
}
