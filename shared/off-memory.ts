// The memory figures of a VM that does not run: only its range and weight are known.
import type { VmMemory } from './memory.ts';
import type { VmSpec } from './vm.ts';

export function offMemory(spec: VmSpec): VmMemory {
  const { minKib, maxKib, weight, balanced } = spec;
  return {
    vmId: spec.id,
    minKib,
    maxKib,
    bootKib: null,
    targetKib: null,
    actualKib: null,
    residentKib: null,
    usedKib: null,
    overheadKib: 0,
    committedKib: 0,
    balloon: 'off',
    weight,
    balanced,
  };
}
