// VMs as the manager is told of them.
import type { VmId } from '../../../shared/ids.ts';
import type { VmSpec } from '../../../shared/vm.ts';

const MIB = 1024;

export const idOf = (n: number): VmId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as VmId;

export const specOf = (
  n: number,
  { minMib, maxMib, weight = 100 }: { minMib: number; maxMib: number; weight?: number },
): VmSpec => ({
  id: idOf(n),
  name: `vm${n}`,
  os: 'linux',
  cpus: 1,
  minKib: minMib * MIB,
  maxKib: maxMib * MIB,
  weight,
  balanced: true,
  balloon: true,
  disks: [],
  boot: { kind: 'sample' },
  network: 'none',
  portForwards: [],
  createdAt: 0,
});
