// Freeing memory of this computer: the amounts to offer, and what VMs could give back. Pure, in KiB; the
// service has the last word.
import type { HostMemory, VmMemory } from '../../shared/memory.ts';
import { GIB_KIB } from '../../shared/units.ts';

export const MORE_GIB = [1, 2, 4] as const;
export const FREE_MINUTES = [10, 30, 60] as const;

/** Amounts are rounded to a tenth of a GiB: they read best with one decimal. */
const STEP_KIB = GIB_KIB / 10;
const roundedUp = (kib: number): number => Math.round(Math.ceil(kib / STEP_KIB) * STEP_KIB);
const roundedDown = (kib: number): number => Math.round(Math.floor(kib / STEP_KIB) * STEP_KIB);

/** What a VM can give back: memory above its minimum, and of that only what its process really holds. */
function freeableKib(vm: VmMemory): number {
  if (
    vm.actualKib === null ||
    vm.balloon === 'no-driver' ||
    vm.balloon === 'no-return' ||
    vm.balloon === 'fixed'
  )
    return 0;
  // M8: memory whose return nobody could observe is not asked for.
  const taken = vm.residentKib === null ? 0 : vm.residentKib - vm.overheadKib;
  return Math.max(0, Math.min(vm.actualKib, taken) - vm.minKib);
}

/** The most of this computer that could be free, as far as the window knows. */
export const mostFreeKib = (host: HostMemory): number =>
  Math.min(host.totalKib, host.availableKib + host.vms.reduce((sum, vm) => sum + freeableKib(vm), 0));

/** The amount that is `gib` more than is free now, rounded up; null: VMs cannot give that much. */
export function moreKib(host: HostMemory, gib: number): number | null {
  const kib = roundedUp(host.availableKib + gib * GIB_KIB);
  return kib <= mostFreeKib(host) ? kib : null;
}

/** One GiB more than is free; if VMs cannot give that, the most that could be free. */
export const firstAmountKib = (host: HostMemory): number =>
  moreKib(host, 1) ?? Math.max(roundedDown(mostFreeKib(host)), roundedUp(1));

export interface FreeingOutlook {
  /** How much VMs would have to give back. */
  readonly missingKib: number;
  /** The part of it that they cannot give. */
  readonly lackingKib: number;
}

export function freeingOutlook(host: HostMemory, kib: number): FreeingOutlook {
  return {
    missingKib: Math.max(0, kib - host.availableKib),
    lackingKib: Math.max(0, kib - mostFreeKib(host)),
  };
}
