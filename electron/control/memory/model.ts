// What the planner sees: a host and its VMs at one instant. Immutable, KiB, no clock. A commitment is what a VM may
// come to hold even if it does at once everything it was ever allowed (M2).
import type { VmId } from '../../../shared/ids.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import { ceilMib, floorMib } from '../../../shared/units.ts';

/** Why a VM's memory cannot be moved now; its commitment is taken as it stands. */
export type Held = 'booting' | 'no-balloon' | 'unbalanced' | 'paused' | 'silent' | 'quarantined' | 'resting';

/** What a guest is thought to need (estimate.ts). Each level includes the one before; none is clamped yet. */
export interface Wants {
  /** Its working set. */
  readonly workingKib: number;
  /** With room for a sudden need. */
  readonly bufferKib: number;
  /** With the page cache that makes it faster. */
  readonly cacheKib: number;
  /** The guest pages, stalls, or is about to. */
  readonly isUrgent: boolean;
}

export interface VmModel {
  readonly id: VmId;
  readonly name: string;
  readonly minKib: number;
  /** The user's maximum, and no more than this run was started with (M6). */
  readonly ceilingKib: number;
  /** What this run was started with: QEMU's `-m`. */
  readonly bootKib: number;
  /** Last asked, from the journal (M9); null when nothing is known. */
  readonly targetKib: number | null;
  /** Last seen by QMP (M4); null when nothing was. */
  readonly actualKib: number | null;
  /** The most it may have grown to before it heard its last target; 0 once a later sample came. */
  readonly mayHoldKib: number;
  /** What the guest says it uses; null when it does not. */
  readonly usedKib: number | null;
  readonly overheadKib: number;
  readonly weight: number;
  /** Null when the guest never told. */
  readonly wants: Wants | null;
  /** When it was last asked for less, and more, on the planner's clock; null: never. */
  readonly shrankAtMs: number | null;
  readonly grewAtMs: number | null;
  /** The part of what it was asked to give back that, at its observed pace, will not come within moments. */
  readonly lateKib: number;
  /** Its balloon was seen to be so slow that a guest waiting for its memory would swap meanwhile. */
  readonly isSlow: boolean;
  /** It was found stuck and has not moved since. It is asked again, but not relied on. */
  readonly hasRefused: boolean;
  readonly held: Held | null;
}

export interface HostModel {
  readonly mode: HostMemory['mode'];
  /** All that VMs may hold: total less reserve, or less (M10). */
  readonly budgetKib: number;
  /** Promised to VMs not yet running (M6). */
  readonly leasedKib: number;
  /** The part of `leasedKib` that starts still wait for. */
  readonly waitingKib: number;
  readonly vms: readonly VmModel[];
}

/** Guest memory a VM may hold without asking again. */
export function promisedKib(vm: VmModel): number {
  // A booting guest, also one that was reset, uses all of `-m` before its driver loads; unknown counts as that too.
  if (vm.held === 'booting' || vm.held === 'no-balloon' || vm.actualKib === null) return vm.bootKib;
  return Math.max(vm.actualKib, vm.targetKib ?? vm.bootKib, vm.mayHoldKib);
}

/**
 * M4: a VM left alone because it did not give, or took memory back by itself, is asked for nothing. But where
 * it is urgent or lacks its minimum, it is planned for like every VM, at no less than it has.
 */
export function servedInNeed(vm: VmModel): VmModel {
  const leastKib = Math.min(floorMib(vm.ceilingKib), ceilMib(promisedKib(vm)));
  const isLeftAlone = vm.held === 'quarantined' || vm.held === 'resting';
  const isInNeed = vm.wants?.isUrgent === true || leastKib < vm.minKib;
  if (!isLeftAlone || !isInNeed || promisedKib(vm) >= vm.ceilingKib) return vm;
  return { ...vm, minKib: Math.max(vm.minKib, leastKib), held: null };
}

/** The host when its booting VMs are up and can be asked for memory like all others. */
export const onceUp = (host: HostModel): HostModel => ({
  ...host,
  vms: host.vms.map(vm => (vm.held === 'booting' ? { ...vm, held: null } : vm)),
});

export const committedKib = (vm: VmModel): number => promisedKib(vm) + vm.overheadKib;

export const totalCommittedKib = (host: HostModel): number =>
  host.vms.reduce((sum, vm) => sum + committedKib(vm), 0);

/** What nobody holds and nobody was promised: negative when the host is overdrawn. */
export const poolKib = (host: HostModel): number => host.budgetKib - host.leasedKib - totalCommittedKib(host);
