// Figures of a host and of a VM, for tests of what the window makes of them.
import type { VmId } from '../../shared/ids.ts';
import type { HostMemory, VmMemory } from '../../shared/memory.ts';
import { GIB_KIB } from '../../shared/units.ts';

export const gib = (value: number): number => Math.round(value * GIB_KIB);

export const vm = (more: Partial<VmMemory>): VmMemory => ({
  vmId: 'v' as VmId,
  minKib: gib(2),
  maxKib: gib(8),
  bootKib: gib(8),
  targetKib: gib(4),
  actualKib: gib(4),
  residentKib: gib(4),
  usedKib: gib(3),
  overheadKib: 0,
  committedKib: gib(4),
  balloon: 'obeying',
  weight: 100,
  balanced: true,
  ...more,
});

export const host = (vms: VmMemory[], more: Partial<HostMemory> = {}): HostMemory => ({
  totalKib: gib(16),
  availableKib: gib(8),
  reserveKib: gib(4),
  budgetKib: gib(12),
  capKib: null,
  committedKib: 0,
  leasedKib: 0,
  freeKib: 0,
  ownKib: gib(0.25),
  compressionRatio: 0,
  mode: 'demand',
  state: 'ok',
  freeUntil: null,
  freePromisedKib: null,
  freeWithheldKib: 0,
  planAgeMs: 0,
  vms,
  ...more,
});
