// What a simulated file is made of: durable sectors, and all versions of each sector written since the last
// sync.
import type { Seeded } from '../../support/seeded.ts';

export const SECTOR = 512;
const ZEROS = new Uint8Array(SECTOR);

interface Version {
  readonly order: number;
  readonly bytes: Uint8Array;
}

/** A file's content. Sectors are never changed in place, so copies share them. */
export class Inode {
  size = 0;
  durableSize = 0;
  readonly durable = new Map<number, Uint8Array>();
  /** Versions written since the last sync, oldest first. */
  readonly volatile = new Map<number, Version[]>();
  /** Left in memory alone by a failed sync: readers see it, nobody writes it, it may go at any time (T14). */
  readonly #lost = new Map<number, Uint8Array>();
  #order = 0;
  /** What a truncate removed that the disk still has: a power cut before the next sync may bring it back. */
  #cut: { readonly size: number; readonly order: number; readonly durable: Map<number, Uint8Array> } | null =
    null;

  sector(index: number): Uint8Array {
    const written = this.volatile.get(index)?.at(-1)?.bytes ?? this.#lost.get(index);
    return written ?? this.durable.get(index) ?? ZEROS;
  }

  put(index: number, bytes: Uint8Array): void {
    const version = { order: ++this.#order, bytes };
    const versions = this.volatile.get(index);
    if (versions === undefined) this.volatile.set(index, [version]);
    else versions.push(version);
  }

  copyFrom(source: Inode): void {
    for (const index of new Set([
      ...source.durable.keys(),
      ...source.volatile.keys(),
      ...source.#lost.keys(),
    ]))
      this.put(index, source.sector(index));
    this.size = source.size;
  }

  mappedBytes(): number {
    let sectors = this.durable.size;
    for (const index of new Set([...this.volatile.keys(), ...this.#lost.keys()]))
      if (!this.durable.has(index)) sectors++;
    return sectors * SECTOR;
  }

  isMapped(index: number): boolean {
    return this.volatile.has(index) || this.durable.has(index) || this.#lost.has(index);
  }

  /**
   * A sync fails as on Linux: each sector that was to be written has reached the disk, or is still to be
   * written, or the host takes it for written although it is not.
   */
  failSync(random: Seeded): void {
    for (const [index, versions] of this.volatile) {
      const last = versions.at(-1);
      const fate = random.below(4);
      if (last === undefined || fate === 0) continue;
      this.volatile.delete(index);
      this.#lost.delete(index);
      if (fate > 1) this.#lost.set(index, last.bytes);
      else {
        this.durable.set(index, last.bytes);
        this.durableSize = Math.max(this.durableSize, Math.min(this.size, (index + 1) * SECTOR));
      }
    }
  }

  /** Memory is short, or the host was told to forget. */
  forget(isForgotten: () => boolean): void {
    for (const index of this.#lost.keys()) if (isForgotten()) this.#lost.delete(index);
  }

  /** When the sync ends, what was there at its call is durable; what came meanwhile may be. */
  mark(): () => void {
    const [size, order] = [this.size, this.#order];
    return () => {
      if (this.#cut !== null && this.#cut.order <= order) this.#cut = null;
      this.durableSize = Math.max(this.durableSize, Math.min(size, this.size));
      for (const [index, versions] of this.volatile) {
        const synced = versions.filter(version => version.order <= order);
        const last = synced.at(-1);
        if (last === undefined) continue;
        this.durable.set(index, last.bytes);
        this.#lost.delete(index);
        versions.splice(0, synced.length);
        if (versions.length === 0) this.volatile.delete(index);
      }
    };
  }

  truncate(size: number): void {
    if (size >= this.size) {
      this.size = size;
      return;
    }
    const first = Math.ceil(size / SECTOR);
    const taken = this.#cut?.durable ?? new Map<number, Uint8Array>();
    for (const [index, bytes] of this.durable)
      if (index >= first && !taken.has(index)) taken.set(index, bytes);
    if (this.durableSize > size || this.#cut !== null)
      this.#cut = {
        size: Math.max(this.#cut?.size ?? 0, this.durableSize),
        order: ++this.#order,
        durable: taken,
      };
    for (const map of [this.durable, this.volatile, this.#lost])
      for (const index of map.keys()) if (index >= first) map.delete(index);
    const cut = size % SECTOR;
    if (cut > 0 && this.isMapped(first - 1)) {
      const bytes = this.sector(first - 1).slice();
      bytes.fill(0, cut);
      this.put(first - 1, bytes);
    }
    this.size = size;
    this.durableSize = Math.min(this.durableSize, size);
  }

  afterProcessDeath(): Inode {
    const copy = new Inode();
    copy.size = this.size;
    copy.durableSize = this.durableSize;
    copy.#order = this.#order;
    copy.#cut = this.#cut;
    for (const [index, bytes] of this.durable) copy.durable.set(index, bytes);
    for (const [index, versions] of this.volatile) copy.volatile.set(index, [...versions]);
    for (const [index, bytes] of this.#lost) copy.#lost.set(index, bytes);
    return copy;
  }

  /** `keep`: of a hundred written sectors, about how many reached the disk. */
  afterPowerCut(random: Seeded, keep: number): Inode {
    const copy = new Inode();
    let end = this.durableSize;
    for (const [index, bytes] of this.durable) copy.durable.set(index, bytes);
    for (const [index, versions] of this.volatile) {
      if (random.below(100) >= keep) continue;
      const chosen = random.below(2) === 0 ? versions.at(-1) : random.pick(versions);
      copy.durable.set(index, chosen?.bytes ?? ZEROS);
      end = Math.max(end, Math.min(this.size, (index + 1) * SECTOR));
    }
    copy.size = random.below(4) === 0 ? Math.max(end, this.size) : end;
    if (this.#cut !== null && random.below(2) === 0) {
      for (const [index, bytes] of this.#cut.durable)
        if (!copy.durable.has(index)) copy.durable.set(index, bytes);
      copy.size = Math.max(copy.size, this.#cut.size);
    }
    copy.durableSize = copy.size;
    return copy;
  }
}
