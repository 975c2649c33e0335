// The memory history of each VM for its chart, across stops and starts: by the second for minutes, coarser
// the further back. Bounded. The coarse tiers outlive control where there is a store for them.
import type { VmId } from '../../../shared/ids.ts';
import type { MemorySample } from '../../../shared/memory.ts';

export interface Tier {
  readonly periodMs: number;
  readonly windowMs: number;
  readonly isKept: boolean;
}
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LIVE: Tier = { periodMs: 1_000, windowMs: 10 * MINUTE_MS, isKept: false };
/** Finest first. */
const COARSE: readonly Tier[] = [
  { periodMs: 10_000, windowMs: HOUR_MS, isKept: false },
  { periodMs: 2 * MINUTE_MS, windowMs: DAY_MS, isKept: true },
  { periodMs: 15 * MINUTE_MS, windowMs: 7 * DAY_MS, isKept: true },
];
/** A clock that is wrong by more than all that is remembered is believed only when it has said so often. */
const BACK_MS_MAX = 7 * DAY_MS;
const DOUBTED_MAX = 5;
/** VMs remembered: more than there can be. The VM without samples for longest is forgotten first. */
const VMS_MAX = 256;

export interface HistoryRows {
  /** Oldest first. */
  load(vmId: VmId, periodMs: number): MemorySample[];
  /** Deletes what is older than `sinceMs`, too. Never throws: a chart must not stop the memory manager. */
  append(vmId: VmId, periodMs: number, sample: MemorySample, sinceMs: number): void;
  /** Of all tiers what is later than that; never throws either. */
  dropAfter(vmId: VmId, atMs: number): void;
  drop(vmId: VmId): void;
}
const NO_ROWS: HistoryRows = {
  load: () => [],
  append: () => undefined,
  dropAfter: () => undefined,
  drop: () => undefined,
};

interface Bucket {
  readonly startMs: number;
  last: MemorySample;
  count: number;
  actualKib: number;
  usedCount: number;
  usedKib: number;
}

/** One VM's samples of one tier: those of closed buckets, and the bucket being filled. */
class Line {
  readonly samples: MemorySample[];
  readonly #tier: Tier;
  #bucket: Bucket | null = null;

  constructor(tier: Tier, samples: MemorySample[]) {
    this.#tier = tier;
    this.samples = samples;
  }

  /** Returns the sample of the bucket that this one closes; empty while the bucket stays the same. */
  note(sample: MemorySample): MemorySample[] {
    const { periodMs } = this.#tier;
    const startMs = Math.floor(sample.at / periodMs) * periodMs;
    const closed = this.#bucket !== null && this.#bucket.startMs !== startMs ? this.#close() : [];
    this.#bucket ??= { startMs, last: sample, count: 0, actualKib: 0, usedCount: 0, usedKib: 0 };
    const bucket = this.#bucket;
    bucket.last = sample;
    bucket.count++;
    bucket.actualKib += sample.actualKib ?? 0;
    if (sample.usedKib !== null) {
      bucket.usedCount++;
      bucket.usedKib += sample.usedKib;
    }
    return closed;
  }

  /** Closes the bucket and records a gap: nothing is measured from here on. */
  end(gap: MemorySample): MemorySample[] {
    return [...this.#close(), ...this.#keep(gap)];
  }

  get newestMs(): number {
    return this.#bucket?.last.at ?? this.samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** The wall clock was set back to then: what lies behind it was told by a clock that was wrong. */
  forgetAfter(atMs: number): void {
    this.#bucket = null;
    dropAfter(this.samples, atMs);
  }

  #close(): MemorySample[] {
    const open = this.open();
    this.#bucket = null;
    return open === null ? [] : this.#keep(open);
  }

  #keep(sample: MemorySample): MemorySample[] {
    this.samples.push(sample);
    const { periodMs, windowMs } = this.#tier;
    const since = sample.at - windowMs;
    // Twice the periods: a VM that is started and stopped all day leaves a gap each time.
    while ((this.samples[0]?.at ?? since) < since || this.samples.length > (2 * windowMs) / periodMs)
      this.samples.shift();
    return [sample];
  }

  /** The averages of the bucket being filled; null: there is none. */
  open(): MemorySample | null {
    if (this.#bucket === null) return null;
    const { last, count, actualKib, usedCount, usedKib } = this.#bucket;
    return {
      at: last.at,
      targetKib: last.targetKib,
      actualKib: last.actualKib === null ? null : Math.round(actualKib / count),
      usedKib: usedCount === 0 ? null : Math.round(usedKib / usedCount),
    };
  }
}

function dropAfter(samples: MemorySample[], atMs: number): void {
  while ((samples.at(-1)?.at ?? atMs) > atMs) samples.pop();
}

interface Known {
  readonly live: MemorySample[];
  readonly lines: readonly (readonly [Tier, Line])[];
  /** Samples in a row from a time that is not believed yet. */
  doubted: number;
}

const newestOf = ({ live, lines }: Known): number =>
  Math.max(live.at(-1)?.at ?? Number.NEGATIVE_INFINITY, ...lines.map(([, line]) => line.newestMs));

export class Histories {
  readonly #known = new Map<VmId, Known>();
  readonly #rows: HistoryRows;

  constructor(rows: HistoryRows = NO_ROWS) {
    this.#rows = rows;
  }

  #of(vmId: VmId): Known {
    const known = this.#known.get(vmId);
    if (known !== undefined) return known;
    const lines = COARSE.map(
      tier => [tier, new Line(tier, tier.isKept ? this.#rows.load(vmId, tier.periodMs) : [])] as const,
    );
    const made: Known = { live: [], lines, doubted: 0 };
    this.#known.set(vmId, made);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > VMS_MAX && oldest !== undefined) this.#known.delete(oldest);
    return made;
  }

  note(vmId: VmId, sample: MemorySample): void {
    if (!this.#goesOn(vmId, sample.at)) return;
    const { live, lines } = this.#of(vmId);
    const last = live.at(-1);
    if (last !== undefined && sample.at - last.at < LIVE.periodMs && last.actualKib !== null) return;
    live.push(sample);
    if (live.length > LIVE.windowMs / LIVE.periodMs) live.shift();
    this.#touch(vmId);
    for (const [tier, line] of lines) this.#keep(vmId, tier, line.note(sample));
  }

  /** Where the wall clock was set back, forgets what lies behind; false: this may be a slip of the clock. */
  #goesOn(vmId: VmId, atMs: number): boolean {
    const known = this.#of(vmId);
    const backMs = newestOf(known) - atMs;
    if (backMs > BACK_MS_MAX && ++known.doubted < DOUBTED_MAX) return false;
    known.doubted = 0;
    if (backMs <= 0) return true;
    dropAfter(known.live, atMs);
    for (const [, line] of known.lines) line.forgetAfter(atMs);
    this.#rows.dropAfter(vmId, atMs);
    return true;
  }

  /** Moves the VM to the end of the map: the VM without samples for longest is forgotten first. */
  #touch(vmId: VmId): void {
    const known = this.#of(vmId);
    this.#known.delete(vmId);
    this.#known.set(vmId, known);
  }

  /** The VM stopped: records a gap. */
  end(vmId: VmId, at: number): void {
    const known = this.#known.get(vmId);
    if (known === undefined) return;
    const { live, lines } = known;
    // Samples stay in order, also where the clock was set back since the last one.
    const gap = { at: Math.max(at, newestOf(known)), targetKib: null, actualKib: null, usedKib: null };
    live.push(gap);
    for (const [tier, line] of lines) this.#keep(vmId, tier, line.end(gap));
  }

  /** The VM was deleted. */
  forget(vmId: VmId): void {
    this.#known.delete(vmId);
    this.#rows.drop(vmId);
  }

  #keep(vmId: VmId, { periodMs, windowMs, isKept }: Tier, samples: readonly MemorySample[]): void {
    if (!isKept) return;
    for (const sample of samples) this.#rows.append(vmId, periodMs, sample, sample.at - windowMs);
  }

  /** The samples since then, of the finest tier that reaches so far back. */
  since(vmId: VmId, sinceMs: number, nowMs: number): MemorySample[] {
    const { live, lines } = this.#of(vmId);
    const isAfter = (sample: MemorySample): boolean => sample.at > sinceMs;
    const askedMs = nowMs - sinceMs;
    if (askedMs <= LIVE.windowMs) return live.filter(isAfter);
    const found = lines.find(([tier]) => askedMs <= tier.windowMs) ?? lines.at(-1);
    if (found === undefined) return live.filter(isAfter);
    const open = found[1].open();
    return [...found[1].samples, ...(open === null ? [] : [open])].filter(isAfter);
  }
}
