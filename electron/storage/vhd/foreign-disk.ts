// The content of somebody else's VHD and its parents as a read-only volume. Sector by sector, the newest
// image that has a sector answers for it. Foreign bitmaps are exact to the sector, so our own units of eight
// are not used here.
import { Fault } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import type { BlockFile } from '../../platform/ports.ts';
import type { Volume, VolumeExtent } from '../volume.ts';
import { BAT_UNUSED, type Blocks, type VhdLayout } from './layout.ts';

export interface ForeignImage {
  readonly file: BlockFile;
  readonly layout: VhdLayout;
}

/** Bytes of bitmaps that are remembered, for all images together. */
const BITMAP_BYTES_MAX = 16 * 2 ** 20;
/** How much one question about extents looks at; it takes a byte of memory per sector. */
const EXTENT_BYTES_MAX = 2 ** 30;

interface Run {
  readonly from: number;
  readonly to: number;
}

export class ForeignDisk implements Volume {
  readonly sizeBytes: number;
  readonly readOnly = true;
  /** Newest first; the last has no parent. */
  readonly #images: readonly ForeignImage[];
  readonly #bitmaps = new Map<string, Uint8Array>();
  #bitmapBytes = 0;

  constructor(images: readonly ForeignImage[]) {
    this.#images = images;
    this.sizeBytes = images[0]?.layout.footer.currentBytes ?? 0;
  }

  /** The most a copy needs: what the host has allocated for the files, but no more than the disk's size. */
  dataBytes(): number {
    const given = this.#images.reduce((sum, { file }) => sum + file.allocatedBytes(), 0);
    return Math.min(given, this.sizeBytes);
  }

  read(target: Uint8Array, offsetBytes: number): void {
    target.fill(0);
    this.#walk(offsetBytes, target.length, (file, fileOffset, from, to) =>
      file.read(target.subarray(from - offsetBytes, to - offsetBytes), fileOffset),
    );
  }

  extents(offsetBytes: number, lengthBytes: number, limit: number): VolumeExtent[] {
    const length = Math.min(lengthBytes, EXTENT_BYTES_MAX);
    const here = new Uint8Array(length / SECTOR_BYTES);
    this.#walk(offsetBytes, length, (_file, _at, from, to) =>
      here.fill(1, (from - offsetBytes) / SECTOR_BYTES, (to - offsetBytes) / SECTOR_BYTES),
    );
    const extents: VolumeExtent[] = [];
    for (let sector = 0; sector < here.length && extents.length < limit; ) {
      const state = here[sector] ?? 0;
      const next = here.indexOf(1 - state, sector);
      const end = next < 0 ? here.length : next;
      extents.push({ length: (end - sector) * SECTOR_BYTES, state: state === 1 ? 'data' : 'zero' });
      sector = end;
    }
    return extents;
  }

  /** Calls `each` for the bytes that some image has, in no order; the rest is zeros. Iterative (T15). */
  #walk(
    offsetBytes: number,
    lengthBytes: number,
    each: (file: BlockFile, fileOffset: number, from: number, to: number) => void,
  ): void {
    let open: Run[] = [{ from: offsetBytes, to: offsetBytes + lengthBytes }];
    for (const [index, { file, layout }] of this.#images.entries()) {
      const left: Run[] = [];
      for (const { from, to } of open) {
        if (layout.blocks === null) each(file, from, from, to);
        else
          this.#runs(index, layout.blocks, from, to, (fileOffset, start, end) => {
            if (fileOffset === null) left.push({ from: start, to: end });
            else each(file, fileOffset, start, end);
          });
      }
      if (left.length === 0) return;
      open = left;
    }
  }

  #runs(
    index: number,
    blocks: Blocks,
    from: number,
    to: number,
    each: (fileOffset: number | null, from: number, to: number) => void,
  ): void {
    const { blockBytes, bitmapBytes, bat } = blocks;
    for (let at = from; at < to; ) {
      const block = Math.floor(at / blockBytes);
      const start = block * blockBytes;
      const end = Math.min(to, start + blockBytes);
      const entry = bat[block] ?? BAT_UNUSED;
      if (entry === BAT_UNUSED) each(null, at, end);
      else {
        const bits = this.#bitmap(index, block, entry * SECTOR_BYTES, bitmapBytes);
        const data = entry * SECTOR_BYTES + bitmapBytes - start;
        while (at < end) {
          const sector = (at - start) / SECTOR_BYTES;
          const here = isSet(bits, sector);
          let next = sector + 1;
          while (start + next * SECTOR_BYTES < end && isSet(bits, next) === here) next++;
          const until = start + next * SECTOR_BYTES;
          each(here ? data + at : null, at, until);
          at = until;
        }
      }
      at = end;
    }
  }

  #bitmap(index: number, block: number, offset: number, length: number): Uint8Array {
    const key = `${index}:${block}`;
    const known = this.#bitmaps.get(key);
    if (known !== undefined) return known;
    if (this.#bitmapBytes + length > BITMAP_BYTES_MAX) {
      this.#bitmaps.clear();
      this.#bitmapBytes = 0;
    }
    const bits = new Uint8Array(length);
    this.#images[index]?.file.read(bits, offset);
    this.#bitmaps.set(key, bits);
    this.#bitmapBytes += length;
    return bits;
  }

  write(): never {
    throw readOnly();
  }
  zero(): never {
    throw readOnly();
  }
  trim(): never {
    throw readOnly();
  }
  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    for (const { file } of this.#images) file.close();
  }
}

/** Bitmaps begin with the most significant bit. */
const isSet = (bits: Uint8Array, sector: number): boolean =>
  ((bits[sector >>> 3] ?? 0) & (0x80 >>> (sector & 7))) !== 0;

const readOnly = (): Fault =>
  new Fault({
    code: 'disk.io',
    what: 'An image that is being imported cannot be written.',
    safe: 'It is unchanged.',
    todo: 'Write to the disk it is imported into.',
  });
