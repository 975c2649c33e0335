// plan(host) → targets (M1). Pure, integers, no clock, no I/O. Mode `proportional`, the patent's method: one compression
// ratio r for the whole host, target = r·min + (1 − r)·max. Who uses less than its target gives through its balloon.
import type { VmId } from '../../../shared/ids.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import { committedKib, type HostModel, type VmModel } from './model.ts';

export interface PlannedVm {
  readonly id: VmId;
  readonly targetKib: number;
}

export interface Plan {
  /** 0: everyone at max; 1: everyone at min. */
  readonly compressionRatio: number;
  readonly targets: readonly PlannedVm[];
  /** The patent's step: VMs whose actual usage is below their target. */
  readonly belowTarget: readonly VmId[];
  /** What balloons are asked to take, in all, and who may grow by it. */
  readonly takenKib: number;
  readonly givenTo: readonly VmId[];
  /** Even everyone at min does not fit: nothing may start, and this much is missing. */
  readonly shortfallKib: number;
}

const floorMib = (kib: number): number => Math.floor(kib / MIB_KIB) * MIB_KIB;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Memory the movable VMs may share: the budget less leases, less what is held, less everyone's overhead. */
export function sharedKib(host: HostModel): number {
  const held = host.vms.filter(vm => vm.held !== null);
  const movable = host.vms.filter(vm => vm.held === null);
  return (
    host.budgetKib - host.leasedKib - sum(held.map(committedKib)) - sum(movable.map(vm => vm.overheadKib))
  );
}

const rangeKib = (vm: VmModel): number => Math.max(0, vm.ceilingKib - vm.minKib);

/**
 * Everyone at the same fraction of its own range, in whole MiB, using the shared memory up: the MiB that rounding
 * leaves go to the largest fractions, ties by id, so that the order of the VMs does not matter.
 */
function proportional(vms: readonly VmModel[], shared: number): Map<VmId, number> {
  const range = sum(vms.map(rangeKib));
  const surplus = Math.min(range, Math.max(0, shared - sum(vms.map(vm => vm.minKib))));
  const shares = vms.map(vm => {
    // 2^40 KiB × 2^40 KiB does not fit a double.
    const exact = range === 0 ? 0 : Number((BigInt(surplus) * BigInt(rangeKib(vm))) / BigInt(range));
    return { vm, target: Math.max(vm.minKib, floorMib(vm.minKib + exact)), exact: vm.minKib + exact };
  });
  let left = floorMib(surplus + sum(vms.map(vm => vm.minKib)) - sum(shares.map(share => share.target)));
  const byFraction = [...shares].sort(
    (a, b) => b.exact - b.target - (a.exact - a.target) || (a.vm.id < b.vm.id ? -1 : 1),
  );
  for (const share of byFraction) {
    if (left < MIB_KIB) break;
    if (share.target + MIB_KIB > share.vm.ceilingKib) continue;
    share.target += MIB_KIB;
    left -= MIB_KIB;
  }
  return new Map(shares.map(({ vm, target }) => [vm.id, target]));
}

export function plan(host: HostModel): Plan {
  const movable = host.vms.filter(vm => vm.held === null);
  const shared = sharedKib(host);
  const mins = sum(movable.map(vm => vm.minKib));
  const ceilings = mins + sum(movable.map(rangeKib));
  const range = ceilings - mins;
  const targets = proportional(movable, shared);
  const targetOf = (vm: VmModel): number => targets.get(vm.id) ?? vm.minKib;
  const nowKib = (vm: VmModel): number => vm.actualKib ?? vm.bootKib;
  return {
    compressionRatio: range === 0 ? 0 : Math.min(1, Math.max(0, (ceilings - shared) / range)),
    targets: movable.map(vm => ({ id: vm.id, targetKib: targetOf(vm) })),
    belowTarget: movable.filter(vm => vm.usedKib !== null && vm.usedKib < targetOf(vm)).map(vm => vm.id),
    takenKib: sum(movable.map(vm => Math.max(0, nowKib(vm) - targetOf(vm)))),
    givenTo: movable.filter(vm => targetOf(vm) > nowKib(vm)).map(vm => vm.id),
    shortfallKib: Math.max(0, mins - shared),
  };
}
