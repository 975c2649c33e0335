// What each kind of system wants of its machine: one table, the same for the window, the command line and control. Pure.
import { type MemoryRange, VM_MIN_KIB } from './memory.ts';
import { ceilMib, GIB, GIB_KIB, MIB_KIB } from './units.ts';
import type { OsKind } from './vm.ts';
import type { Devices, Firmware } from './vm-setup.ts';

export interface Kind {
  readonly firmware: Firmware;
  readonly hasTpm: boolean;
  readonly devices: Devices;
  /** Where devices are emulated: the network card this system knows. */
  readonly emulatedNetwork: 'e1000e' | 'e1000';
  /** What its hardware clock shows. */
  readonly clock: 'utc' | 'localtime';
  readonly cpus: number;
  readonly diskBytes: number;
  /** Its maximum, where this computer has that; its minimum is that ÷ minPart. */
  readonly maxKib: number;
  readonly minPart: 2 | 4;
}

const LINUX: Kind = {
  firmware: 'bios',
  hasTpm: false,
  devices: 'virtio',
  emulatedNetwork: 'e1000e',
  clock: 'utc',
  cpus: 2,
  diskBytes: 40 * GIB,
  maxKib: 4 * GIB_KIB,
  minPart: 4,
};
/** Windows has no virtio drivers of its own, and crawls below half of what it was given. */
const WINDOWS: Kind = {
  ...LINUX,
  devices: 'emulated',
  clock: 'localtime',
  diskBytes: 64 * GIB,
  minPart: 2,
};

export const KINDS: Readonly<Record<OsKind, Kind>> = {
  linux: LINUX,
  windows: WINDOWS,
  // Its installer refuses a machine without Secure Boot and a TPM.
  'windows-11': { ...WINDOWS, firmware: 'uefi-secure', hasTpm: true, maxKib: 8 * GIB_KIB },
  bsd: LINUX,
  other: { ...LINUX, devices: 'emulated', emulatedNetwork: 'e1000', cpus: 1, diskBytes: 20 * GIB },
};

const STEP_KIB = 64 * MIB_KIB;
/** On a whole step; never less than a VM can have. */
const onStep = (kib: number): number => Math.max(VM_MIN_KIB, Math.floor(kib / STEP_KIB) * STEP_KIB);

/** At most half of what VMs may have in all; the minimum is a quarter of it or more, of Windows half. */
export function suggestedRange(os: OsKind, budgetKib: number): MemoryRange {
  const { maxKib, minPart } = KINDS[os];
  const max = Math.max(4 * VM_MIN_KIB, Math.min(maxKib, onStep(budgetKib / 2)));
  return { minKib: ceilMib(max / minPart), maxKib: max };
}
