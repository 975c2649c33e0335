// What a guest goes by is not always what it was last told: what it is told instead (M4, M9). Pure.
import { ceilMib } from '../../../shared/units.ts';

/**
 * `in-vain`: it does not do what it was told. `unsure`: nobody knows whether it heard it, or it goes by what it was told
 * before its memory was saved or control began; it is known only to be no more than `askedKib`.
 */
export type Doubt = 'in-vain' | 'unsure';

/** Of a QEMU that is there now. */
export interface Known {
  readonly bootKib: number;
  /** Last told, as far as anybody noted (M9); null: nothing. */
  readonly targetKib: number | null;
  /** It was told nothing yet, in this life or in one that was saved: its balloon is empty. */
  readonly isNew: boolean;
}

export interface Doubted {
  readonly actualKib: number;
  readonly askedKib: number;
  readonly bootKib: number;
  readonly minKib: number;
  readonly isOverdrawn: boolean;
}

/** What it has where the last target is in vain, else no more than what was promised. */
export function insteadKib(
  doubt: Doubt,
  { actualKib, askedKib, bootKib, minKib, isOverdrawn }: Doubted,
): number {
  const heldKib = Math.min(bootKib, ceilMib(actualKib));
  if (doubt === 'in-vain') return heldKib;
  // The less of what it has and what it was asked, as its minimum allows (M3), within what was promised (M2). The
  // promise may never have been heard: overdrawn, nothing is given on the strength of it.
  const leastKib = isOverdrawn ? Math.min(minKib, heldKib) : minKib;
  return Math.min(Math.max(askedKib, heldKib), Math.max(Math.min(askedKib, heldKib), leastKib));
}
