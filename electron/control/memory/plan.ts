// plan(host, now) → targets and reasons (M1). Pure, integers, no clock, no I/O. Mode `proportional`, the patent's method:
// one compression ratio r for the whole host, target = r·min + (1 − r)·max; a VM that uses less than its
// target gives through its balloon. Mode `demand`: memory goes where it is needed (ideal.ts), and no more
// moves than that takes (moves.ts).
import type { VmId } from '../../../shared/ids.ts';
import { floorMib, MIB_KIB } from '../../../shared/units.ts';
import { ideal } from './ideal.ts';
import { committedKib, type HostModel, type VmModel } from './model.ts';
import { moves, type Reason } from './moves.ts';

/** Why a target is what it is: the common ratio, or what mode `demand` moves for. */
export type PlanReason = 'ratio' | Reason;

/** What the patent's method knows of a VM, and what it asks of the VM's balloon. */
export interface PlannedVm {
  readonly id: VmId;
  readonly minKib: number;
  readonly maxKib: number;
  /** What the guest says it uses; null when it does not. */
  readonly usedKib: number | null;
  readonly targetKib: number;
  /** What its balloon is to take, and give back to it, from where it is now. */
  readonly takenKib: number;
  readonly givenKib: number;
  readonly reason: PlanReason;
}

export interface Plan {
  readonly mode: HostModel['mode'];
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

interface Decision {
  readonly vm: VmModel;
  readonly targetKib: number;
  readonly reason: PlanReason;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** M4: while a start waits, what a slow or stuck balloon owes counts as missing, so that others give it. */
const owedTooLateKib = (host: HostModel, vm: VmModel): number =>
  host.waitingKib > 0 && (vm.isSlow || vm.hasRefused)
    ? Math.max(0, (vm.actualKib ?? 0) - (vm.targetKib ?? vm.bootKib))
    : 0;

/**
 * Memory the movable VMs may share: the budget less leases, less what is held, less everyone's overhead, less what would
 * come too late.
 */
export function sharedKib(host: HostModel): number {
  const held = host.vms.filter(vm => vm.held !== null);
  const movable = host.vms.filter(vm => vm.held === null);
  return (
    host.budgetKib -
    host.leasedKib -
    sum(held.map(committedKib)) -
    sum(movable.map(vm => vm.overheadKib + owedTooLateKib(host, vm)))
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

/** Mode `proportional`, the patent's: every VM at r. */
function patentMoves(vms: readonly VmModel[], shared: number): Decision[] {
  const targets = proportional(vms, shared);
  return vms.map(vm => ({ vm, targetKib: targets.get(vm.id) ?? vm.minKib, reason: 'ratio' }));
}

/** Mode `demand`: VMs that wait for memory come first, so that they are served first. */
function demandMoves(vms: readonly VmModel[], shared: number, nowMs: number): Decision[] {
  const { targets, reasons, waiting } = moves(vms, ideal(vms, shared), shared, nowMs);
  const isWaiting = new Set(waiting);
  const others = [...vms.keys()].filter(index => !isWaiting.has(index));
  return [...waiting, ...others].flatMap(index => {
    const vm = vms[index];
    return vm === undefined
      ? []
      : [{ vm, targetKib: targets[index] ?? vm.minKib, reason: reasons[index] ?? 'stays' }];
  });
}

const planned = ({ vm, targetKib, reason }: Decision): PlannedVm => {
  const nowKib = vm.actualKib ?? vm.bootKib;
  return {
    id: vm.id,
    minKib: vm.minKib,
    maxKib: vm.ceilingKib,
    usedKib: vm.usedKib,
    targetKib,
    takenKib: Math.max(0, nowKib - targetKib),
    givenKib: Math.max(0, targetKib - nowKib),
    reason,
  };
};

/** `nowMs`: the clock that stamped the model. The order of the targets is the order in which they are served. */
export function plan(host: HostModel, nowMs: number): Plan {
  const movable = host.vms.filter(vm => vm.held === null);
  const shared = sharedKib(host);
  const mins = sum(movable.map(vm => vm.minKib));
  const range = sum(movable.map(rangeKib));
  // What sharedKib has set aside already does not count a second time.
  const owing = movable.map(vm => ({ ...vm, lateKib: Math.max(0, vm.lateKib - owedTooLateKib(host, vm)) }));
  const decisions = host.mode === 'demand' ? demandMoves(owing, shared, nowMs) : patentMoves(movable, shared);
  const targets = decisions.map(planned);
  return {
    mode: host.mode,
    compressionRatio: range === 0 ? 0 : Math.min(1, Math.max(0, (mins + range - shared) / range)),
    targets,
    belowTarget: targets.filter(vm => vm.usedKib !== null && vm.usedKib < vm.targetKib).map(vm => vm.id),
    takenKib: sum(targets.map(vm => vm.takenKib)),
    givenTo: targets.filter(vm => vm.givenKib > 0).map(vm => vm.id),
    shortfallKib: Math.max(0, mins - shared),
  };
}
