// The host bar as segments: reserve, Ebb's own processes, each VM, free memory, memory kept free for other
// programs. Pure. A VM's segment is its commitment (M2); asked and done stay apart inside it.
import type { HostMemory, VmMemory } from '../../shared/memory.ts';

export type Segment =
  | { readonly kind: 'reserve' | 'own' | 'free' | 'kept'; readonly kib: number; readonly width: number }
  | {
      readonly kind: 'vm';
      readonly vm: VmMemory;
      readonly kib: number;
      readonly width: number;
      /** Shares of the segment's own width; QEMU's overhead is really used, so each includes it. */
      readonly actual: number;
      readonly target: number | null;
      readonly notch: number;
    };

/** The reserve is drawn no wider than this: on a big host the VMs would be slivers beside it. */
const RESERVE_SHARE_MAX = 0.24;

export function hostSegments(host: HostMemory): Segment[] {
  const vms = host.vms.map(vm => ({ vm, kib: vm.committedKib })).filter(({ kib }) => kib > 0);
  const used = vms.reduce((sum, { kib }) => sum + kib, 0);
  const budget = Math.max(host.budgetKib, used, 1);
  const withheld = Math.max(0, host.totalKib - host.budgetKib - host.ownKib);
  const free = Math.max(0, budget - used);
  // At most what is free now: VMs may not have given up all of it yet.
  const kept = Math.min(free, host.freeWithheldKib);
  const reserveShare = Math.min(RESERVE_SHARE_MAX, withheld / Math.max(1, host.totalKib));
  const rest = 1 - reserveShare;
  const scale = rest / (budget + host.ownKib);
  const segments: Segment[] = [
    { kind: 'reserve', kib: withheld, width: reserveShare },
    { kind: 'own', kib: host.ownKib, width: host.ownKib * scale },
  ];
  for (const { vm, kib } of vms) {
    segments.push({
      kind: 'vm',
      vm,
      kib,
      width: kib * scale,
      actual: vm.actualKib === null ? 1 : Math.min(1, (vm.actualKib + vm.overheadKib) / kib),
      target: vm.targetKib === null ? null : Math.min(1, (vm.targetKib + vm.overheadKib) / kib),
      notch: Math.min(1, (vm.minKib + vm.overheadKib) / kib),
    });
  }
  segments.push({ kind: 'free', kib: free - kept, width: (free - kept) * scale });
  segments.push({ kind: 'kept', kib: kept, width: kept * scale });
  return segments.filter(segment => segment.width > 0);
}
