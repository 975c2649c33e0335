// Which image holds which unit of a point or of Now. A chain is resolved once per block and remembered until
// that block changes hands; a read then costs the same however many points there are. Every lookup is
// synchronous: none spans a change (T3).
import { Fault } from '../../../shared/result.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import type { Image } from './image.ts';

/** An image in a chain, read up to `endBytes`: readers see zeros behind the end of a smaller one above it. */
export interface Layer {
  readonly image: Image;
  readonly endBytes: number;
}

/** A block that several images have units of: per unit the number of its layer, from 1; 0: no layer. */
class Mixed {
  readonly #layers: readonly Layer[];
  readonly #units: Uint16Array;

  constructor(layers: readonly Layer[], units: Uint16Array) {
    this.#layers = layers;
    this.#units = units;
  }

  at(unit: number): Image | null {
    return this.#layers[(this.#units[unit] ?? 0) - 1]?.image ?? null;
  }
}

/** Whose a block is: one image's, nobody's (zeros), or several images'. */
type Owner = Image | null | Mixed;

/** Who has a unit of a block. */
export const ownerOf = (owner: Owner, unit: number): Image | null =>
  owner instanceof Mixed ? owner.at(unit) : owner;

/** Resolved blocks remembered per view: a mixed block costs about 1 KiB, so at most 4 MiB. */
const OWNERS_CACHED_MAX = 4096;

/** Newest first: the first image that has a unit owns it; units nobody has are zeros. */
export class View {
  readonly #chain: () => readonly Layer[];
  readonly #owners = new Map<number, Owner>();
  /** Null: the next reader asks for the chain again. */
  #layers: readonly Layer[] | null;
  #isOver = false;

  /** `chain` is called again by the first read after a reset. */
  constructor(chain: () => readonly Layer[]) {
    this.#chain = chain;
    this.#layers = chain();
  }

  /** The chain itself changed (take, flip, go back). */
  reset(): void {
    this.#layers = null;
    this.#owners.clear();
  }

  #resolved(): readonly Layer[] {
    if (this.#isOver) throw gone();
    this.#layers ??= this.#chain();
    return this.#layers;
  }

  /** The point is gone: every further read is a fault. */
  end(): void {
    this.#isOver = true;
    this.#owners.clear();
  }

  /** One block changed hands (a batch of a reversal, a first write). */
  forget(block: number): void {
    this.#owners.delete(block);
  }

  get depth(): number {
    return this.#resolved().length;
  }

  owner(block: number): Owner {
    const known = this.#owners.get(block);
    if (known !== undefined) return known;
    const owner = this.#resolve(block);
    if (this.#owners.size >= OWNERS_CACHED_MAX) this.#owners.delete(this.#owners.keys().next().value ?? 0);
    this.#owners.set(block, owner);
    return owner;
  }

  /** For callers that ask for every block once: the cache keeps what readers use. */
  peek(block: number): Owner {
    const known = this.#owners.get(block);
    return known === undefined ? this.#resolve(block) : known;
  }

  #resolve(block: number): Owner {
    const layers = this.#resolved();
    let open: Uint16Array | null = null;
    let left = 0;
    for (const [index, { image, endBytes }] of layers.entries()) {
      if (!image.has(block)) continue;
      const end = Math.floor((endBytes - block * image.blockBytes) / UNIT_BYTES);
      if (end <= 0) continue;
      const isWhole = end >= image.unitsPerBlock;
      if (!image.isDifferencing && open === null && isWhole) return image;
      const units = isWhole ? image.units(block) : clipped(image.units(block), end);
      if (open === null) {
        if (!units.includes(0)) return image;
        open = new Uint16Array(units.length);
        left = units.length;
      }
      for (let unit = 0; unit < units.length; unit++) {
        if (units[unit] === 0 || open[unit] !== 0) continue;
        open[unit] = index + 1;
        left--;
      }
      if (left === 0) break;
    }
    if (open === null) return null;
    const first = open[0] ?? 0;
    return open.every(layer => layer === first)
      ? (layers[first - 1]?.image ?? null)
      : new Mixed(layers, open);
  }

  /** Calls `each` with runs of units of one owner, in order. */
  runs(
    block: number,
    firstUnit: number,
    units: number,
    each: (owner: Image | null, first: number, count: number) => void,
  ): void {
    const owner = this.owner(block);
    if (!(owner instanceof Mixed)) return each(owner, firstUnit, units);
    const end = firstUnit + units;
    for (let unit = firstUnit; unit < end; ) {
      const here = owner.at(unit);
      let next = unit + 1;
      while (next < end && owner.at(next) === here) next++;
      each(here, unit, next - unit);
      unit = next;
    }
  }
}

/** The units before `end`. */
export const clipped = (units: Uint8Array, end: number): Uint8Array =>
  units.map((unit, index) => (index < end ? unit : 0));

const gone = (): Fault =>
  new Fault({
    code: 'moment.not-found',
    what: 'The point that was read here has been deleted for good.',
    safe: 'Nothing was changed.',
    todo: 'Look at the history again.',
  });
