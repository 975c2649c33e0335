// Tells by how long reads take whether they come from the page cache or from the disk. A read from the page
// cache is cheapest at once; a disk is better asked several things at a time (transmission.ts).

/** `always` and `never` are for tests, and for people who know their disk. */
export type LateReads = 'when-cold' | 'always' | 'never';

/** The most a read takes from the page cache: microseconds, and gigabytes a second. No disk does both. */
const CALL_US = 20;
const BYTES_PER_US = 2000;
/** The weight of the newest read in the running average. */
const WEIGHT = 1 / 8;
/** Bounds what one read adds: one that met a busy disk does not mean that all of them will. */
const SLOWNESS_MAX = 4;
/** While cold, one read in so many is timed again; the time of reads that run side by side says nothing. */
const PROBE_EVERY = 32;
/** The weight of such a read: a few must be enough to see that everything is in the page cache by now. */
const PROBE_WEIGHT = 1 / 2;

export class Coldness {
  readonly #nowMs: () => number;
  readonly #lateReads: LateReads;
  /** Running average: how long a read took, in units of what the page cache takes at most. Above 1: cold. */
  #slowness = 0;
  #untimed = 0;

  /** `nowMs`: monotonic, with a fraction. */
  constructor(nowMs: () => number, lateReads: LateReads = 'when-cold') {
    this.#nowMs = nowMs;
    this.#lateReads = lateReads;
  }

  /** Whether the next read is left to the disk while others are served. Alone, waiting is fastest. */
  isNextLate(hasOthers: boolean): boolean {
    if (this.#lateReads !== 'when-cold') return this.#lateReads === 'always';
    if (!hasOthers || this.#slowness <= 1) return false;
    return ++this.#untimed % PROBE_EVERY !== 0;
  }

  timed(lengthBytes: number, read: () => void): void {
    const begun = this.#nowMs();
    read();
    const slowness = ((this.#nowMs() - begun) * 1000) / (CALL_US + lengthBytes / BYTES_PER_US);
    const weight = this.#slowness > 1 ? PROBE_WEIGHT : WEIGHT;
    this.#slowness += (Math.min(slowness, SLOWNESS_MAX) - this.#slowness) * weight;
  }
}
