// The volumes of a disk: Now (writable, through the leaf) and points (read only). Splits requests into blocks
// and units. A write smaller than a unit copies the rest of the unit up (T12).
import { Fault, invariant } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import type { Volume, VolumeExtent } from '../volume.ts';
import type { Image } from './image.ts';
import { poisoned } from './image-head.ts';
import type { View } from './layers.ts';
import type { Leaf } from './leaf.ts';
import type { HeldRead, Readers } from './readers.ts';

interface Shape {
  readonly sizeBytes: number;
  readonly blockBytes: number;
}

function checkRange(shape: Shape, offsetBytes: number, lengthBytes: number): void {
  invariant(
    offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes + lengthBytes <= shape.sizeBytes,
    `request ${offsetBytes}+${lengthBytes} outside the disk of ${shape.sizeBytes} bytes`,
  );
}

/** Calls `each` per block touched. */
function eachBlock(
  shape: Shape,
  offsetBytes: number,
  lengthBytes: number,
  each: (block: number, at: number, length: number, done: number) => void,
): void {
  checkRange(shape, offsetBytes, lengthBytes);
  for (let done = 0; done < lengthBytes; ) {
    const position = offsetBytes + done;
    const block = Math.floor(position / shape.blockBytes);
    const at = position - block * shape.blockBytes;
    const length = Math.min(shape.blockBytes - at, lengthBytes - done);
    each(block, at, length, done);
    done += length;
  }
}

export function readView(view: View, shape: Shape, target: Uint8Array, offsetBytes: number): void {
  eachBlock(shape, offsetBytes, target.length, (block, at, length, done) => {
    const firstUnit = Math.floor(at / UNIT_BYTES);
    const lastUnit = Math.floor((at + length - 1) / UNIT_BYTES);
    view.runs(block, firstUnit, lastUnit - firstUnit + 1, (owner, first, count) => {
      const from = Math.max(first * UNIT_BYTES, at);
      const to = Math.min((first + count) * UNIT_BYTES, at + length);
      const piece = target.subarray(done + from - at, done + to - at);
      if (owner === null) piece.fill(0);
      else owner.readData(block, from, piece);
    });
  });
}

interface Place {
  readonly image: Image;
  readonly from: number;
  /** Offset in the requested range. */
  readonly at: number;
  readonly length: number;
}

/** Where the data of a range lies; the rest of the range is zeros. */
function placesOf(view: View, shape: Shape, offsetBytes: number, lengthBytes: number): Place[] {
  const places: Place[] = [];
  eachBlock(shape, offsetBytes, lengthBytes, (block, at, length, done) => {
    const firstUnit = Math.floor(at / UNIT_BYTES);
    const lastUnit = Math.floor((at + length - 1) / UNIT_BYTES);
    view.runs(block, firstUnit, lastUnit - firstUnit + 1, (owner, first, count) => {
      if (owner === null) return;
      const from = Math.max(first * UNIT_BYTES, at);
      const to = Math.min((first + count) * UNIT_BYTES, at + length);
      const place = { image: owner, from: owner.dataOffset(block) + from };
      places.push({ ...place, at: done + from - at, length: to - from });
    });
  });
  return places;
}

/** T14: nothing of a file whose sync failed is believed, nor what was read of it meanwhile. */
function requireSound({ poison }: Image): void {
  if (poison !== null) throw poisoned(poison);
}

interface ReadSource {
  readonly view: View;
  readonly readers: Readers;
}

/**
 * Looks up at once where the data lies, and reads it later: until `end` these places stay as they are (T3).
 */
export function holdView({ view, readers }: ReadSource, shape: Shape): HeldRead {
  const places = placesOf(view, shape, 0, shape.sizeBytes);
  const end = readers.enter();
  return {
    end,
    read: target => {
      target.fill(0);
      for (const { image, from, at, length } of places) {
        requireSound(image);
        image.file.read(target.subarray(at, at + length), from);
      }
    },
  };
}

/** T3: as `holdView`; the hold ends when the last of its places was read, also where one read fails. */
async function readViewLater(
  { view, readers }: ReadSource,
  shape: Shape,
  target: Uint8Array,
  offsetBytes: number,
): Promise<void> {
  const places = placesOf(view, shape, offsetBytes, target.length);
  const end = readers.enter();
  try {
    if (places.reduce((left, { length }) => left - length, target.length) > 0) target.fill(0);
    const read = await Promise.allSettled(
      places.map(async ({ image, from, at, length }) => {
        requireSound(image);
        await image.file.readLater(target.subarray(at, at + length), from);
        requireSound(image);
      }),
    );
    for (const piece of read) if (piece.status === 'rejected') throw piece.reason;
  } finally {
    end();
  }
}

export function viewExtents(
  view: View,
  shape: Shape,
  offsetBytes: number,
  lengthBytes: number,
  limit: number,
): VolumeExtent[] {
  const extents: { length: number; state: 'data' | 'zero' }[] = [];
  let isFull = false;
  const add = (length: number, state: 'data' | 'zero'): void => {
    const last = extents.at(-1);
    if (last?.state === state) last.length += length;
    else if (extents.length < limit) extents.push({ length, state });
    else isFull = true;
  };
  eachBlock(shape, offsetBytes, lengthBytes, (block, at, length) => {
    if (isFull) return;
    const firstUnit = Math.floor(at / UNIT_BYTES);
    const lastUnit = Math.floor((at + length - 1) / UNIT_BYTES);
    view.runs(block, firstUnit, lastUnit - firstUnit + 1, (owner, first, count) => {
      const from = Math.max(first * UNIT_BYTES, at);
      if (!isFull)
        add(Math.min((first + count) * UNIT_BYTES, at + length) - from, owner === null ? 'zero' : 'data');
    });
  });
  return extents;
}

/** A point: read only, right at every instant of every operation (T3, T4). */
export function pointVolume(source: ReadSource, shape: Shape): Volume {
  const { view } = source;
  const readOnly = (): never => {
    throw new Fault({
      code: 'disk.io',
      what: 'A point cannot be written.',
      safe: 'It is unchanged.',
      todo: 'Write to Now.',
    });
  };
  return {
    sizeBytes: shape.sizeBytes,
    readOnly: true,
    read: (target, offsetBytes) => readView(view, shape, target, offsetBytes),
    readLater: (target, offsetBytes) => readViewLater(source, shape, target, offsetBytes),
    write: readOnly,
    zero: readOnly,
    trim: readOnly,
    flush: () => Promise.resolve(),
    extents: (offsetBytes, lengthBytes, limit) => viewExtents(view, shape, offsetBytes, lengthBytes, limit),
  };
}

/** What the Now volume needs of its disk; the leaf changes at take and go back. */
export interface NowSource extends ReadSource {
  /** Larger after the disk has grown; after going back, the size of the chosen point. */
  readonly sizeBytes: () => number;
  readonly blockBytes: number;
  leaf(): Leaf;
  /** What the guest wrote before the call is durable when it resolves; in both leaves during a take. */
  flush(): Promise<void>;
  /** Fault disk.poisoned (T14). */
  requireSound(): void;
  wrote(): void;
}

/** Now of a disk. Stays valid across take; its writes go to whatever is the leaf at that instant. */
export class NowVolume implements Volume {
  readonly readOnly = false;
  /** Calls so far, by which the settler sees whether somebody uses the disk. */
  served = 0;
  readonly #source: NowSource;
  readonly #unit = new Uint8Array(UNIT_BYTES);

  constructor(source: NowSource) {
    this.#source = source;
  }

  #begin(): void {
    this.#source.requireSound();
    this.served++;
  }

  get sizeBytes(): number {
    return this.#source.sizeBytes();
  }

  get #shape(): Shape {
    return { sizeBytes: this.sizeBytes, blockBytes: this.#source.blockBytes };
  }

  read(target: Uint8Array, offsetBytes: number): void {
    this.#begin();
    readView(this.#source.view, this.#shape, target, offsetBytes);
  }

  async readLater(target: Uint8Array, offsetBytes: number): Promise<void> {
    this.#begin();
    return readViewLater(this.#source, this.#shape, target, offsetBytes);
  }

  write(source: Uint8Array, offsetBytes: number): void {
    this.#begin();
    eachBlock(this.#shape, offsetBytes, source.length, (block, at, length, done) => {
      this.#writeBlock(block, at, length, source.subarray(done, done + length));
    });
    this.#source.wrote();
  }

  zero(offsetBytes: number, lengthBytes: number, _mayPunch: boolean): void {
    this.#begin();
    eachBlock(this.#shape, offsetBytes, lengthBytes, (block, at, length) =>
      this.#writeBlock(block, at, length, null),
    );
    this.#source.wrote();
  }

  /** Whole units become zeros; the ragged ends keep their content. */
  trim(offsetBytes: number, lengthBytes: number): void {
    const first = Math.ceil(offsetBytes / UNIT_BYTES) * UNIT_BYTES;
    const end = Math.floor((offsetBytes + lengthBytes) / UNIT_BYTES) * UNIT_BYTES;
    if (end > first) this.zero(first, end - first, true);
  }

  async flush(): Promise<void> {
    this.#begin();
    return this.#source.flush();
  }

  extents(offsetBytes: number, lengthBytes: number, limit: number): VolumeExtent[] {
    this.#source.requireSound();
    return viewExtents(this.#source.view, this.#shape, offsetBytes, lengthBytes, limit);
  }

  #writeBlock(block: number, at: number, length: number, source: Uint8Array | null): void {
    const head = at % UNIT_BYTES === 0 ? 0 : Math.min(length, UNIT_BYTES - (at % UNIT_BYTES));
    if (head > 0) this.#writePartial(block, at, head, source?.subarray(0, head) ?? null);
    const whole = Math.floor((length - head) / UNIT_BYTES) * UNIT_BYTES;
    if (whole > 0) this.#writeWhole(block, at + head, whole, source?.subarray(head, head + whole) ?? null);
    const tail = length - head - whole;
    if (tail > 0) this.#writePartial(block, at + head + whole, tail, source?.subarray(head + whole) ?? null);
  }

  #writeWhole(block: number, at: number, length: number, source: Uint8Array | null): void {
    const { view } = this.#source;
    const firstUnit = at / UNIT_BYTES;
    if (source !== null) {
      if (this.#source.leaf().writeUnits(block, firstUnit, length / UNIT_BYTES, UNIT_BYTES, source))
        view.forget(block);
      return;
    }
    const zeroed: [number, number][] = [];
    // Units that no image has read as zeros already: discarding untouched space costs nothing.
    view.runs(block, firstUnit, length / UNIT_BYTES, (owner, first, count) => {
      if (owner !== null) zeroed.push([first, count]);
    });
    for (const [first, count] of zeroed) {
      if (this.#source.leaf().writeUnits(block, first, count, UNIT_BYTES, null)) view.forget(block);
    }
  }

  #writePartial(block: number, at: number, length: number, source: Uint8Array | null): void {
    const unit = Math.floor(at / UNIT_BYTES);
    const start = unit * UNIT_BYTES;
    readView(this.#source.view, this.#shape, this.#unit, block * this.#source.blockBytes + start);
    if (source === null) this.#unit.fill(0, at - start, at - start + length);
    else this.#unit.set(source, at - start);
    if (this.#source.leaf().writeUnits(block, unit, 1, UNIT_BYTES, this.#unit))
      this.#source.view.forget(block);
  }
}
