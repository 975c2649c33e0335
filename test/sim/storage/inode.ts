// What a simulated file is made of: durable sectors, and every version written since the last sync.
import type { Seeded } from '../../support/seeded.ts';

export const SECTOR = 512;
const ZEROS = new Uint8Array(SECTOR);

interface Version {
  readonly order: number;
  readonly bytes: Uint8Array;
}

/** What a file is made of. Sectors are never changed in place, so copies share them. */
export class Inode {
  size = 0;
  durableSize = 0;
  readonly durable = new Map<number, Uint8Array>();
  /** Written since the last sync, oldest first. */
  readonly volatile = new Map<number, Version[]>();
  /** What a sync that failed left in memory alone: read, never written again, gone at any time (T14). */
  readonly #lost = new Map<number, Uint8Array>();
  #order = 0;
  /** What a cut took that is still on the disk: a power cut before the next sync may bring it back. */
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
   * A sync that fails, as Linux has it: of what was to be written each sector reached the disk, or is still to be, or the
   * host takes it for written and it is not.
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

  /** Memory is short, or the host was told so. */
  forget(isForgotten: () => boolean): void {
    for (const index of this.#lost.keys()) if (isForgotten()) this.#lost.delete(index);
  }

  /** What was there when the sync was called is durable when it ends; what came meanwhile may be. */
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

  /** `keep` is how likely, of a hundred, a written sector reached the disk. */
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
