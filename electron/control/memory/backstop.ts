// Where the host allows it, each QEMU is kept by the kernel to what it was promised (Linux, memory.high of its own cgroup).
// Soft: beyond it a guest that takes memory without leave is slowed down until the plan has followed, nobody is killed.
// Raised before a give, lowered after a take was seen, never below what the QEMU holds.
import type { VmId } from '../../../shared/ids.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmGroup, VmGroups } from '../../platform/vm-groups.ts';

/** Page tables, sockets, and what a QEMU newly needs until that was measured. */
const MARGIN_KIB = 64 * MIB_KIB;
/** Not written for every page that moves. */
const STEP_KIB = 16 * MIB_KIB;

/** `residentKib`: what it holds now, whatever was promised. */
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

  /** `pid`: of its QEMU; absent where none is known. Until it is followed it has no limit, or that of the last control. */
  enter(vmId: VmId, pid: number | undefined): void {
    if (pid === undefined) return;
    try {
      const group = this.#groups?.enter(vmId, pid) ?? null;
      if (group !== null) this.#kept.set(vmId, { group, highKib: null });
    } catch (cause) {
      this.#log(`memory: no limit for ${vmId} by the kernel: ${String(cause)}`);
    }
  }

  /** Before it is given memory: `committedKib` with what it is given. */
  raise(vmId: VmId, committedKib: number): void {
    const kept = this.#kept.get(vmId);
    const highKib = highKibOf(committedKib, 0);
    if (kept?.highKib != null && highKib > kept.highKib) this.#set(vmId, kept, highKib);
  }

  /** As it was seen now. Where nobody knows what it holds the limit is not lowered. */
  follow(vmId: VmId, committedKib: number, residentKib: number | null): void {
    const kept = this.#kept.get(vmId);
    const heldKib = residentKib ?? kept?.highKib ?? null;
    if (kept === undefined || heldKib === null) return;
    const highKib =
      residentKib === null ? Math.max(heldKib, highKibOf(committedKib, 0)) : highKibOf(committedKib, heldKib);
    if (highKib !== kept.highKib) this.#set(vmId, kept, highKib);
  }

  /** Its QEMU is gone. */
  leave(vmId: VmId): void {
    const kept = this.#kept.get(vmId);
    this.#kept.delete(vmId);
    kept?.group.remove();
  }

  /** Nobody will raise a limit any more: there is none. */
  letGo(): void {
    for (const [vmId, kept] of this.#kept) this.#set(vmId, kept, null);
    this.#kept.clear();
  }

  /** One that cannot be set is told once and left as it is. */
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
