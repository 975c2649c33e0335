// Specs of VMs, as the manager is told of them.
import type { VmSpec } from '../../../shared/vm.ts';
import { specOf as plainSpecOf } from '../../support/memory-world.ts';

export const specOf = (
  n: number,
  { minMib, maxMib, weight = 100 }: { minMib: number; maxMib: number; weight?: number },
): VmSpec => ({ ...plainSpecOf(n, minMib, maxMib), weight });
