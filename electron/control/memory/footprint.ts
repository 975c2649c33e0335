// What a VM's QEMU holds on the host, beside what its guest has: its own need, measured, and what a balloon took and the host
// did not get (M2, M8).
import { MIB_KIB } from '../../../shared/units.ts';
import { foldPossession, freshPossession, keptKib, type Possession } from './possession.ts';

const OVERHEAD_STEP_KIB = 16 * MIB_KIB;

export interface Share {
  readonly actualKib: number;
  readonly beforeKib: number;
  /** The most its guest may have come to hold. */
  readonly mostKib: number;
  readonly isDriverReady: boolean;
  /** It will never say what it has. */
  readonly isFixed: boolean;
}

export class Footprint {
  /** The host's figure; null: it does not tell. */
  residentKib: number | null = null;
  readonly #bootKib: number;
  #overheadKib: number;
  #possession: Possession;
  #isKeepingTold = false;
  /** Its guest is up, and the host did not say what its QEMU holds. */
  #isUntold = false;
  #isMeasured = false;

  constructor({ bootKib, overheadKib, nowMs }: { bootKib: number; overheadKib: number; nowMs: number }) {
    this.#bootKib = bootKib;
    this.#overheadKib = overheadKib;
    this.#possession = freshPossession(bootKib, nowMs);
  }

  /** Of QEMU beyond its guest's memory: as measured, or what is usual. */
  get overheadKib(): number {
    return this.#overheadKib;
  }

  /** M2: what its QEMU needs was seen: beside a guest that says what it has, or has touched all there is. */
  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  observe({ actualKib, beforeKib, mostKib, isDriverReady, isFixed }: Share, nowMs: number): void {
    const { residentKib } = this;
    this.#isUntold = residentKib === null && isDriverReady;
    // Firmware and a new kernel use all of it.
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
    // Only ever up: memory the process was once seen to need it may need again.
    if (measured > this.#overheadKib)
      this.#overheadKib = Math.ceil(measured / OVERHEAD_STEP_KIB) * OVERHEAD_STEP_KIB;
  }

  /** M8: so much counts as its guest's where the host does not tell what came back. */
  get unseenKib(): number {
    return this.residentKib === null ? this.#possession.heldKib : 0;
  }

  get isKeeping(): boolean {
    return this.#possession.verdict === 'keeps';
  }

  /** M8: to take more from it would help nobody: nothing comes back, or nobody would see it. Null: it would. */
  get leftAloneKib(): number | null {
    return this.#isUntold || this.isKeeping ? this.#possession.heldKib : null;
  }

  /** Once: what its balloon took, where it was found out that the host does not get it. */
  keptNewsKib(actualKib: number | null): number | null {
    const { residentKib } = this;
    const { mark } = this.#possession;
    if (!this.isKeeping || this.#isKeepingTold || mark === null) return null;
    if (actualKib === null || residentKib === null) return null;
    this.#isKeepingTold = true;
    return keptKib(mark, { actualKib, residentKib });
  }

  /** What its next QEMU needs for itself: not what only its balloon took. */
  get ownNeedKib(): number {
    const { mark } = this.#possession;
    return this.isKeeping && mark !== null ? mark.overheadKib : this.#overheadKib;
  }
}
