// Which image holds which unit of a point or of Now. A chain is resolved once per block and remembered until that
// block changes hands; a read then costs the same however many points there are. Everything is synchronous: no reader
// spans a change (T3).
import { UNIT_BYTES } from '../vhd/geometry.ts';
import type { Image } from './image.ts';

/** An image in a chain, read up to here: what hangs off a smaller point sees zeros behind its end, whatever lies below. */
export interface Layer {
  readonly image: Image;
  readonly endBytes: number;
}

/** Uniform block: one image, or nobody (zeros). Mixed: one entry per unit. */
type Owner = Image | null | readonly (Image | null)[];

/** Resolved blocks remembered per view: a mixed block costs about 4 KiB, so at most 16 MiB. */
const OWNERS_CACHED_MAX = 4096;

/** Newest first: the first image that has a unit owns it; units nobody has are zeros. */
export class View {
  readonly #chain: () => readonly Layer[];
  readonly #owners = new Map<number, Owner>();
  #layers: readonly Layer[];

  /** `chain` is asked again whenever the view is reset. */
  constructor(chain: () => readonly Layer[]) {
    this.#chain = chain;
    this.#layers = chain();
  }

  /** The chain itself changed (take, flip, go back). */
  reset(): void {
    this.#layers = this.#chain();
    this.#owners.clear();
  }

  /** One block changed hands (a batch of a reversal, a first write). */
  forget(block: number): void {
    this.#owners.delete(block);
  }

  get depth(): number {
    return this.#layers.length;
  }

  owner(block: number): Owner {
    const known = this.#owners.get(block);
    if (known !== undefined) return known;
    const owner = this.#resolve(block);
    if (this.#owners.size >= OWNERS_CACHED_MAX) this.#owners.delete(this.#owners.keys().next().value ?? 0);
    this.#owners.set(block, owner);
    return owner;
  }

  /** For who asks of every block once: what readers use stays remembered. */
  peek(block: number): Owner {
    const known = this.#owners.get(block);
    return known === undefined ? this.#resolve(block) : known;
  }

  #resolve(block: number): Owner {
    let open: (Image | null)[] | null = null;
    let left = 0;
    for (const { image, endBytes } of this.#layers) {
      if (!image.has(block)) continue;
      const end = Math.floor((endBytes - block * image.blockBytes) / UNIT_BYTES);
      if (end <= 0) continue;
      const isWhole = end >= image.unitsPerBlock;
      if (!image.isDifferencing && open === null && isWhole) return image;
      const units = isWhole ? image.units(block) : clipped(image.units(block), end);
      if (open === null) {
        if (!units.includes(0)) return image;
        open = new Array<Image | null>(units.length).fill(null);
        left = units.length;
      }
      for (let unit = 0; unit < units.length; unit++) {
        if (units[unit] === 0 || open[unit] !== null) continue;
        open[unit] = image;
        left--;
      }
      if (left === 0) break;
    }
    return open === null ? null : uniform(open);
  }

  /** Calls `each` with runs of units of one owner, in order. */
  runs(
    block: number,
    firstUnit: number,
    units: number,
    each: (owner: Image | null, first: number, count: number) => void,
  ): void {
    const owner = this.owner(block);
    if (!isMixed(owner)) return each(owner, firstUnit, units);
    const end = firstUnit + units;
    for (let unit = firstUnit; unit < end; ) {
      const here = owner[unit] ?? null;
      let next = unit + 1;
      while (next < end && (owner[next] ?? null) === here) next++;
      each(here, unit, next - unit);
      unit = next;
    }
  }
}

/** The units before `end`. */
export const clipped = (units: Uint8Array, end: number): Uint8Array =>
  units.map((unit, index) => (index < end ? unit : 0));

const isMixed = (owner: Owner): owner is readonly (Image | null)[] => Array.isArray(owner);

function uniform(units: readonly (Image | null)[]): Owner {
  const first = units[0] ?? null;
  return units.every(unit => unit === first) ? first : units;
}
