// Remembers which VMs people look at. Such a VM weighs more, also for a while after people looked away (M1:
// the planner sees only a weight). No clock, no I/O.
import type { VmId } from '../../../shared/ids.ts';

const BOOST = 2;
/** Looking away for a moment is not leaving: the boost fades. */
const FADES_MS = 60_000;

export class Focus {
  /** By connection: two windows may look at two VMs. */
  readonly #lookedAt = new Map<number, VmId>();
  readonly #leftAtMs = new Map<VmId, number>();

  /** `vmId` null: the connection looks at no VM. True when some VM's weight changed. */
  look(connection: number, vmId: VmId | null, nowMs: number): boolean {
    const before = this.#lookedAt.get(connection) ?? null;
    if (before === vmId) return false;
    if (vmId === null) this.#lookedAt.delete(connection);
    else this.#lookedAt.set(connection, vmId);
    if (before !== null) this.#leftAtMs.set(before, nowMs);
    return true;
  }

  forget(vmId: VmId): void {
    this.#leftAtMs.delete(vmId);
  }

  /** The weight now: an integer from `weight` to twice that. */
  weigh(vmId: VmId, weight: number, nowMs: number): number {
    if ([...this.#lookedAt.values()].includes(vmId)) return weight * BOOST;
    const leftAtMs = this.#leftAtMs.get(vmId);
    if (leftAtMs === undefined) return weight;
    const left = Math.max(0, 1 - (nowMs - leftAtMs) / FADES_MS);
    return Math.round(weight * (1 + (BOOST - 1) * left));
  }
}
