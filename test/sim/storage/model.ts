// What the disks must hold, sector by sector. Every sector that a guest writes gets a number of its own, so
// that a sector read in the wrong place is seen.
import { SECTOR } from './inode.ts';

interface Value {
  readonly order: number;
  readonly tag: number;
  /** False for a write that was never acknowledged: no flush covers it. */
  readonly isCertain: boolean;
}

export function fill(target: Uint8Array, tags: readonly number[]): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.byteLength / 4);
  for (const [sector, tag] of tags.entries())
    words.fill(tag, (sector * SECTOR) / 4, ((sector + 1) * SECTOR) / 4);
}

/** The number in each sector; NaN where a sector holds more than one number. */
export function tagsOf(bytes: Uint8Array): number[] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const tags: number[] = [];
  for (let at = 0; at < words.length; at += SECTOR / 4) {
    const tag = words[at] ?? 0;
    // Every sector of every read comes through here: no branch in the loop.
    let others = 0;
    for (let word = at + 1; word < at + SECTOR / 4; word++) others |= (words[word] ?? 0) ^ tag;
    tags.push(others === 0 ? tag : Number.NaN);
  }
  return tags;
}

/** Now of one disk: what reads must give, and what a power cut may leave (T10). */
export class DiskModel {
  now: number[];
  /** Sectors that no acknowledged flush covers: every value they may have, the flushed one first. */
  readonly #open = new Map<number, Value[]>();
  /**
   * What sectors were before a write that the host died in. It was never acknowledged: it is there or not.
   */
  readonly #torn = new Map<number, Set<number>>();

  constructor(tags: readonly number[]) {
    this.now = [...tags];
  }

  write(sector: number, tag: number, order: number, isCertain = true): void {
    const values = this.#open.get(sector) ?? [{ order: -1, tag: this.now[sector] ?? 0, isCertain: true }];
    values.push({ order, tag, isCertain });
    this.#open.set(sector, values);
    this.now[sector] = tag;
    this.#torn.delete(sector);
  }

  /** The disk has grown: the new sectors are zeros. */
  grow(sectors: number): void {
    this.now = [...this.now, ...new Array<number>(sectors - this.now.length).fill(0)];
  }

  /** Notes a write that was never acknowledged, and whose result cannot be looked at. */
  mayWrite(sector: number, tag: number, order: number): void {
    const before = new Set([...(this.#torn.get(sector) ?? []), this.now[sector] ?? 0]);
    this.write(sector, tag, order, false);
    this.#torn.set(sector, before);
  }

  /** Sectors that an unacknowledged write may have changed, with what they were before. */
  uncertain(): ReadonlyMap<number, ReadonlySet<number>> {
    return new Map(this.#torn);
  }

  /** Whether a sector may read so while the host lives: newest, or as before an unacknowledged write. */
  mayBe(sector: number, tag: number | undefined): boolean {
    return tag === this.now[sector] || (tag !== undefined && this.#torn.get(sector)?.has(tag) === true);
  }

  /** T11: no process death or failing disk loses what was acknowledged. The first loss, or null. */
  strayWhileLiving(found: readonly number[]): string | null {
    return difference(
      found.map((tag, sector) => (this.mayBe(sector, tag) ? (this.now[sector] ?? 0) : tag)),
      this.now,
    );
  }

  /** A flush that was called at `order` has been acknowledged. */
  flushed(order: number): void {
    for (const [sector, values] of this.#open) {
      const covered = values.findLastIndex(value => value.isCertain && value.order <= order);
      if (covered > 0) values.splice(0, covered);
      if (values.length <= 1) this.#open.delete(sector);
    }
  }

  /** Every value a sector may have after a power cut. */
  allowed(sector: number): number[] {
    return this.#open.get(sector)?.map(value => value.tag) ?? [this.now[sector] ?? 0];
  }

  allAllowed(): number[][] {
    return this.now.map((_, sector) => this.allowed(sector));
  }

  /** The first sector with a value it may not have, as a sentence; null where there is none. */
  strayAfterPowerCut(found: readonly number[]): string | null {
    if (found.length !== this.now.length) return `it has ${found.length} sectors, not ${this.now.length}`;
    const sector = this.now.findIndex(
      (_, index) => !this.allowed(index).includes(found[index] ?? Number.NaN),
    );
    return sector < 0
      ? null
      : `sector ${sector} is ${found[sector]}, may be ${this.allowed(sector).join(' or ')}`;
  }

  /** From now on the disk holds what was found. `isDurable`: a power cut cannot change it. */
  settleOn(found: readonly number[], isDurable: boolean): void {
    if (isDurable) this.#open.clear();
    found.forEach((tag, sector) => {
      const values = this.#open.get(sector);
      // It differs from what was written: the write that the host died in did not happen.
      if (tag !== this.now[sector]) values?.push({ order: values.at(-1)?.order ?? 0, tag, isCertain: true });
    });
    this.#torn.clear();
    this.now = [...found];
  }
}

export function difference(found: readonly number[] | null, expected: readonly number[]): string | null {
  if (found === null) return 'its files are not all there';
  if (found.length !== expected.length) return `it has ${found.length} sectors, not ${expected.length}`;
  const sector = expected.findIndex((tag, index) => tag !== found[index]);
  return sector < 0 ? null : `sector ${sector} is ${found[sector]}, expected ${expected[sector]}`;
}
