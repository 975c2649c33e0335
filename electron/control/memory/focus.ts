// Whose screen people look at: what they work with counts for more, and for a while after they looked away (M1: the
// planner sees a weight). Pure but for what it remembers.
import type { VmId } from '../../../shared/ids.ts';

const BOOST = 2;
/** Looking away for a moment is not leaving: the boost fades. */
const FADES_MS = 60_000;

export class Focus {
  /** By connection: two windows may look at two VMs. */
  readonly #lookedAt = new Map<number, VmId>();
  readonly #leftAtMs = new Map<VmId, number>();

  /** True when that changes what anybody weighs. */
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

  /** Whole, at least `weight`, at most twice that. */
  weigh(vmId: VmId, weight: number, nowMs: number): number {
    if ([...this.#lookedAt.values()].includes(vmId)) return weight * BOOST;
    const leftAtMs = this.#leftAtMs.get(vmId);
    if (leftAtMs === undefined) return weight;
    const left = Math.max(0, 1 - (nowMs - leftAtMs) / FADES_MS);
    return Math.round(weight * (1 + (BOOST - 1) * left));
  }
}
