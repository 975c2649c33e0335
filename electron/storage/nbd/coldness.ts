// Whether reads come from the page cache or from the disk, as told by how long they take. From the page cache it is
// cheapest to read at once; a disk is asked several things at a time (transmission.ts).

/** `always` and `never` are for tests, and for who knows his disk. */
export type LateReads = 'when-cold' | 'always' | 'never';

/** The page cache answers in a few microseconds and copies gigabytes a second; no disk does both. */
const CALL_US = 20;
const BYTES_PER_US = 2000;
/** Of the newest read in the running average. */
const WEIGHT = 1 / 8;
/** One read that met a busy disk is no reason to think that all of them will. */
const SLOWNESS_MAX = 4;
/** While cold, one read in so many is timed again: what is read beside others says nothing. */
const PROBE_EVERY = 32;
/** Of such a one: few of them must be enough to see that all is in the page cache by now. */
const PROBE_WEIGHT = 1 / 2;

export class Coldness {
  readonly #nowMs: () => number;
  readonly #lateReads: LateReads;
  /** Running average of how long a read took, in what the page cache would have taken at most. */
  #slowness = 0;
  #untimed = 0;

  /** `nowMs`: monotonic, with a fraction. */
  constructor(nowMs: () => number, lateReads: LateReads = 'when-cold') {
    this.#nowMs = nowMs;
    this.#lateReads = lateReads;
  }

  /** Whether the next read is better left to the disk while others are served. One alone is there soonest if waited for. */
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
