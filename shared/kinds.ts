// What each kind of guest system wants of its machine: one table for the window, the CLI and control. Pure.
import { type MemoryRange, VM_MIN_KIB } from './memory.ts';
import { ceilMib, GIB, GIB_KIB, MIB_KIB } from './units.ts';
import type { OsKind } from './vm.ts';
import type { Devices, Firmware } from './vm-setup.ts';

export interface Kind {
  readonly firmware: Firmware;
  readonly hasTpm: boolean;
  readonly devices: Devices;
  /** The network card this system has a driver for, used when devices are emulated. */
  readonly emulatedNetwork: 'e1000e' | 'e1000';
  /** What the guest expects its hardware clock to show. */
  readonly clock: 'utc' | 'localtime';
  readonly cpus: number;
  readonly diskBytes: number;
  /** The suggested maximum, where this computer has as much; the suggested minimum is maximum ÷ minPart. */
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
/** Windows brings no virtio drivers, and crawls with less than half the memory it booted with. */
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
  // The installer of Windows 11 refuses a machine without Secure Boot and a TPM.
  'windows-11': { ...WINDOWS, firmware: 'uefi-secure', hasTpm: true, maxKib: 8 * GIB_KIB },
  bsd: LINUX,
  other: { ...LINUX, devices: 'emulated', emulatedNetwork: 'e1000', cpus: 1, diskBytes: 20 * GIB },
};

const STEP_KIB = 64 * MIB_KIB;
/** Rounds down to a whole step, but never below the least a VM can have. */
const onStep = (kib: number): number => Math.max(VM_MIN_KIB, Math.floor(kib / STEP_KIB) * STEP_KIB);

/** The maximum is at most half of what VMs may have in all; the minimum is maximum ÷ the kind's minPart. */
export function suggestedRange(os: OsKind, budgetKib: number): MemoryRange {
  const { maxKib, minPart } = KINDS[os];
  const max = Math.max(4 * VM_MIN_KIB, Math.min(maxKib, onStep(budgetKib / 2)));
  return { minKib: ceilMib(max / minPart), maxKib: max };
}
