// "What happens if I start this?" (M6): the same planner, called dry. Pure.
import type { StartPreview } from '../../../shared/memory.ts';
import { amountText } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { TOLERANCE_KIB } from './actuate.ts';
import { overheadKibOf } from './budget.ts';
import { mostLeasableKib } from './lease-desk.ts';
import type { HostModel, VmModel } from './model.ts';
import { type Plan, plan } from './plan.ts';

export interface PreviewAt {
  readonly nowMs: number;
  /** What VMs leave free because somebody asked them to; it is not in the host's budget. */
  readonly keptFreeKib: number;
  /** Measured of its QEMU in an earlier run; null: never. */
  readonly overheadKib: number | null;
  /** Kept beside the usual need of its QEMU while other VMs start. */
  readonly marginKib: number;
  /** The host when the VMs that start now are up. */
  readonly later: HostModel;
  /** Saved memory goes on as large as it was; null: nothing is saved. */
  readonly exactKib: number | null;
}

export function previewStart(now: HostModel, spec: VmSpec, at: PreviewAt): StartPreview {
  const { nowMs, keptFreeKib, overheadKib, marginKib, later, exactKib } = at;
  const leastKib = exactKib ?? spec.minKib;
  const beside = { ...now, leasedKib: now.leasedKib + marginKib };
  const waits = mostLeasableKib(beside, overheadKib) < leastKib;
  // Like a start, it waits for VMs that boot, where that helps.
  const host = waits ? later : beside;
  const most = mostLeasableKib(host, overheadKib);
  const bootKib = exactKib ?? Math.min(spec.maxKib, most);
  if (most < leastKib) {
    const kept = keptFreeKib === 0 ? '' : ` ${amountText(keptFreeKib)} are being kept free meanwhile.`;
    const sentence = `${spec.name} needs ${amountText(leastKib)} and only ${amountText(most)} can be freed.${kept}`;
    return { feasible: false, bootKib: most, sentence, changes: [] };
  }
  const phantom: VmModel = {
    id: spec.id,
    name: spec.name,
    minKib: Math.min(spec.minKib, bootKib),
    ceilingKib: Math.min(bootKib, Math.max(spec.minKib, spec.maxKib)),
    bootKib,
    targetKib: null,
    actualKib: null,
    mayHoldKib: 0,
    usedKib: null,
    overheadKib: overheadKibOf(bootKib, overheadKib),
    weight: spec.weight,
    wants: null,
    shrankAtMs: null,
    grewAtMs: null,
    lateKib: 0,
    isSlow: false,
    hasRefused: false,
    // In mode `demand` a VM keeps what it booted with until its guest has told what it needs.
    held: host.mode === 'demand' ? 'booting' : null,
  };
  const after = plan({ ...host, vms: [...host.vms, phantom] }, nowMs);
  const changes = changesTo(host, after);
  const first = waits ? 'It waits until those that start now are up. ' : '';
  return { feasible: true, bootKib, sentence: `${first}${sentenceOf(spec, bootKib, changes)}`, changes };
}

/** The changes of the plan that are worth telling. */
export function changesTo(host: HostModel, { targets }: Plan): StartPreview['changes'] {
  return host.vms.flatMap(vm => {
    const target = targets.find(planned => planned.id === vm.id)?.targetKib;
    const now = vm.actualKib ?? vm.bootKib;
    if (target === undefined || Math.abs(target - now) <= TOLERANCE_KIB) return [];
    return [{ vmId: vm.id, vmName: vm.name, fromKib: now, toKib: target }];
  });
}

export const changesText = (changes: StartPreview['changes']): string =>
  changes
    .map(change => `${change.vmName} ${amountText(change.fromKib)} → ${amountText(change.toKib)}`)
    .join(', ');

function sentenceOf(spec: VmSpec, bootKib: number, changes: StartPreview['changes']): string {
  const limited =
    bootKib < spec.maxKib
      ? ` It starts with ${amountText(bootKib)}; its maximum applies at the next start.`
      : '';
  const shrink = changes.filter(change => change.toKib < change.fromKib);
  if (shrink.length === 0) return `Nothing shrinks.${limited}`;
  return `Once ${spec.name} is up: ${changesText(shrink)}.${limited}`;
}
