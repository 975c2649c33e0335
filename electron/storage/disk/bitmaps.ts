// The bitmaps of an image's blocks that are kept in memory: a bounded number, and all that are newer than the
// disk's.

/** 512 bytes each at 2 MiB blocks, so at most 4 MiB per image. */
const CACHED_MAX = 8192;

export class Bitmaps {
  /** Blocks whose bitmap is newer in memory than on the disk: never evicted, or the old one would be read. */
  readonly pinned = new Set<number>();
  readonly #known = new Map<number, Uint8Array>();

  get(block: number): Uint8Array | undefined {
    return this.#known.get(block);
  }

  set(block: number, units: Uint8Array): void {
    if (this.#known.size >= CACHED_MAX) this.#evict();
    this.#known.set(block, units);
  }

  drop(block: number): void {
    this.#known.delete(block);
  }

  /** The image has `blocks` blocks from now on. */
  endAt(blocks: number): void {
    for (const block of this.#known.keys()) if (block >= blocks) this.#known.delete(block);
  }

  #evict(): void {
    for (const block of this.#known.keys()) {
      if (this.pinned.has(block)) continue;
      this.#known.delete(block);
      return;
    }
  }
}
