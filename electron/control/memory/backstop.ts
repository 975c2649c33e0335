// Where the host allows it, the kernel keeps each QEMU to what its VM was promised (Linux, memory.high of its
// own cgroup). Soft: a guest that takes more without leave is slowed down until the plan has followed, never
// killed. Raised before a give, lowered after a take was observed, never below what the QEMU holds.
import type { VmId } from '../../../shared/ids.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmGroup, VmGroups } from '../../platform/vm-groups.ts';

/** Kept beside the commitment: page tables, sockets, and a new need of QEMU until it is measured. */
const MARGIN_KIB = 64 * MIB_KIB;
/** The limit moves in these steps, so that the cgroup is not written for every page that moves. */
const STEP_KIB = 16 * MIB_KIB;

/** `residentKib`: what the QEMU holds now, whatever was promised. */
export const highKibOf = (committedKib: number, residentKib: number): number =>
  Math.ceil((Math.max(committedKib, residentKib) + MARGIN_KIB) / STEP_KIB) * STEP_KIB;

interface Kept {
  readonly group: VmGroup;
  highKib: number | null;
}

export class Backstop {
  readonly #groups: VmGroups | null;
  readonly #log: (line: string) => void;
  readonly #kept = new Map<VmId, Kept>();

  constructor(groups: VmGroups | null, log: (line: string) => void) {
    this.#groups = groups;
    this.#log = log;
  }

  /** `pid`: QEMU's; absent: not known. Before the first `follow` there is no limit, or the last control's. */
  enter(vmId: VmId, pid: number | undefined): void {
    if (pid === undefined) return;
    try {
      const group = this.#groups?.enter(vmId, pid) ?? null;
      if (group !== null) this.#kept.set(vmId, { group, highKib: null });
    } catch (cause) {
      this.#log(`memory: no limit for ${vmId} by the kernel: ${String(cause)}`);
    }
  }

  /** Called before a VM is given memory. `committedKib` includes what it will be given. */
  raise(vmId: VmId, committedKib: number): void {
    const kept = this.#kept.get(vmId);
    if (kept === undefined) return;
    const highKib = highKibOf(committedKib, 0);
    // The last control's limit may be lower than what is given now.
    if (kept.highKib === null) this.#set(vmId, kept, null);
    else if (highKib > kept.highKib) this.#set(vmId, kept, highKib);
  }

  /** Sets the limit by what is observed now. Where nobody knows what QEMU holds, the limit is not lowered. */
  follow(vmId: VmId, committedKib: number, residentKib: number | null): void {
    const kept = this.#kept.get(vmId);
    const heldKib = residentKib ?? kept?.highKib ?? null;
    if (kept === undefined || heldKib === null) return;
    const highKib =
      residentKib === null ? Math.max(heldKib, highKibOf(committedKib, 0)) : highKibOf(committedKib, heldKib);
    if (highKib !== kept.highKib) this.#set(vmId, kept, highKib);
  }

  /** The VM's QEMU is gone. */
  leave(vmId: VmId): void {
    const kept = this.#kept.get(vmId);
    this.#kept.delete(vmId);
    kept?.group.remove();
  }

  /** The manager stops and can raise no limit any more, so all limits are removed. */
  letGo(): void {
    for (const [vmId, kept] of this.#kept) this.#set(vmId, kept, null);
    this.#kept.clear();
  }

  /** A limit that cannot be set is logged once; the group is left as it is from then on. */
  #set(vmId: VmId, kept: Kept, highKib: number | null): void {
    try {
      kept.group.setHighKib(highKib);
      kept.highKib = highKib;
    } catch (cause) {
      this.#kept.delete(vmId);
      this.#log(`memory: the limit of ${vmId} by the kernel stays as it is: ${String(cause)}`);
    }
  }
}
