// What a VM's QEMU holds on the host beyond what its guest has: QEMU's own need, as measured, and memory that
// the balloon took but the host did not get back (M2, M8).
import { MIB_KIB } from '../../../shared/units.ts';
import { foldPossession, freshPossession, keptKib, type Possession } from './possession.ts';

const OVERHEAD_STEP_KIB = 16 * MIB_KIB;

export interface Share {
  readonly actualKib: number;
  readonly beforeKib: number;
  /** The most its guest may have come to hold. */
  readonly mostKib: number;
  readonly isDriverReady: boolean;
  /** The VM has no balloon driver and will never say what its guest has. */
  readonly isFixed: boolean;
}

export class Footprint {
  /** QEMU's resident memory; null: the host does not tell. */
  residentKib: number | null = null;
  readonly #bootKib: number;
  #overheadKib: number;
  #possession: Possession;
  #isKeepingTold = false;
  /** The guest's driver is ready and the host does not tell what QEMU holds. */
  #isUntold = false;
  #isMeasured = false;

  constructor({ bootKib, overheadKib, nowMs }: { bootKib: number; overheadKib: number; nowMs: number }) {
    this.#bootKib = bootKib;
    this.#overheadKib = overheadKib;
    this.#possession = freshPossession(bootKib, nowMs);
  }

  /** QEMU's need beyond its guest's memory: as measured, or the usual figure. */
  get overheadKib(): number {
    return this.#overheadKib;
  }

  /** M2: QEMU's own need was measured: the guest has said what it has, or has touched all of `-m`. */
  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  observe({ actualKib, beforeKib, mostKib, isDriverReady, isFixed }: Share, nowMs: number): void {
    const { residentKib } = this;
    this.#isUntold = residentKib === null && isDriverReady;
    // Before the driver is ready, firmware and a new kernel use all of `-m`.
    this.#possession = isDriverReady
      ? foldPossession(
          this.#possession,
          { actualKib, beforeKib, residentKib, overheadKib: this.#overheadKib },
          nowMs,
        )
      : { ...freshPossession(this.#bootKib, nowMs), verdict: this.#possession.verdict };
    this.#isMeasured ||= isDriverReady || (isFixed && (residentKib ?? 0) >= this.#bootKib);
    if (residentKib === null) return;
    const measured = residentKib - (isDriverReady ? Math.max(mostKib, actualKib) : this.#bootKib);
    // Never lowered: QEMU may need again what it was once seen to need.
    if (measured > this.#overheadKib)
      this.#overheadKib = Math.ceil(measured / OVERHEAD_STEP_KIB) * OVERHEAD_STEP_KIB;
  }

  /** M8: counts as the guest's where the host does not tell what came back; else 0. */
  get unseenKib(): number {
    return this.residentKib === null ? this.#possession.heldKib : 0;
  }

  get isKeeping(): boolean {
    return this.#possession.verdict === 'keeps';
  }

  /** M8: below this, taking helps nobody: nothing comes back, or nobody would see it. Null: taking helps. */
  get leftAloneKib(): number | null {
    return this.#isUntold || this.isKeeping ? this.#possession.heldKib : null;
  }

  /** Tells once what the balloon took and the host did not get back; null: nothing found, or told already. */
  keptNewsKib(actualKib: number | null): number | null {
    const { residentKib } = this;
    const { mark } = this.#possession;
    if (!this.isKeeping || this.#isKeepingTold || mark === null) return null;
    if (actualKib === null || residentKib === null) return null;
    this.#isKeepingTold = true;
    return keptKib(mark, { actualKib, residentKib });
  }

  /** QEMU's own need, for the VM's next run: without memory that only the balloon took. */
  get ownNeedKib(): number {
    const { mark } = this.#possession;
    return this.isKeeping && mark !== null ? mark.overheadKib : this.#overheadKib;
  }
}
