// Answers "Free so much of this computer's memory now": what VMs can give, by a dry run of the planner. Pure.
import type { VmId } from '../../../shared/ids.ts';
import type { FreePreview } from '../../../shared/memory.ts';
import { amountText } from '../../../shared/units.ts';
import { type HostModel, promisedKib, type VmModel } from './model.ts';
import { plan } from './plan.ts';
import { changesText, changesTo } from './preview.ts';

export interface Freeing {
  /** What all VMs together may hold until the request ends. */
  readonly budgetKib: number;
  readonly preview: FreePreview;
}

export interface FreeingInput {
  readonly host: HostModel;
  readonly availableKib: number;
  /** How much of the host is to be available in all. */
  readonly wantedKib: number;
  /** What each VM's QEMU holds now; null where the host does not say. */
  readonly residentKib: (vmId: VmId) => number | null;
  readonly nowMs: number;
}

/** The part of a VM's promise that it has really taken from the host: giving up the rest frees nothing. */
function touchedKib(vm: VmModel, residentKib: number | null): number {
  if (residentKib === null || vm.held !== null) return promisedKib(vm);
  return Math.min(promisedKib(vm), Math.max(vm.minKib, residentKib - vm.overheadKib));
}

export function freeing({ host, availableKib, wantedKib, residentKib, nowMs }: FreeingInput): Freeing {
  const missingKib = wantedKib - availableKib;
  // Memory promised and not touched yet cannot be given back to the host: only touched memory counts.
  const touched = new Map(host.vms.map(vm => [vm.id, touchedKib(vm, residentKib(vm.id))]));
  const holdsKib = host.vms.reduce((sum, vm) => sum + (touched.get(vm.id) ?? 0) + vm.overheadKib, 0);
  if (missingKib <= 0) {
    const sentence = `This computer has ${amountText(availableKib)} free: nothing needs to be given back.`;
    const budgetKib = holdsKib + host.leasedKib - missingKib;
    return { budgetKib, preview: { isEnough: true, freeableKib: 0, sentence, changes: [] } };
  }
  const mostKib = host.vms
    .filter(vm => vm.held === null)
    .reduce((sum, vm) => sum + Math.max(0, (touched.get(vm.id) ?? 0) - vm.minKib), 0);
  const freeableKib = Math.min(missingKib, mostKib);
  const budgetKib = holdsKib + host.leasedKib - freeableKib;
  const after = plan({ ...host, budgetKib: Math.min(host.budgetKib, budgetKib) }, nowMs);
  const changes = changesTo(host, after);
  const isEnough = freeableKib === missingKib;
  const list = changesText(changes.filter(({ fromKib, toKib }) => toKib < fromKib));
  const gives = list === '' ? '' : ` ${list}.`;
  const sentence = isEnough
    ? `VMs give back ${amountText(missingKib)}.${gives}`
    : `VMs can give back ${amountText(freeableKib)} of the ${amountText(missingKib)} that are missing: then all that can move are at their minimum.${gives}`;
  return { budgetKib, preview: { isEnough, freeableKib, sentence, changes } };
}
