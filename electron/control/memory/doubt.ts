// A guest does not always follow the target it was last sent. Decides what it is sent instead (M4, M9). Pure.
import { ceilMib } from '../../../shared/units.ts';

/**
 * `in-vain`: the guest does not do what its last target asks. `unsure`: nobody knows whether the guest heard
 * that target, or it may follow one from before its memory was saved or control began. All that is known is
 * that the target it follows is not above `askedKib`.
 */
export type Doubt = 'in-vain' | 'unsure';

/** What is known of a QEMU when the manager begins to track it. */
export interface Known {
  readonly bootKib: number;
  /** The last target in the journal (M9); null: none. */
  readonly targetKib: number | null;
  /** The guest was never sent a target, nor was saved memory of it loaded: its balloon is empty. */
  readonly isNew: boolean;
}

export interface Doubted {
  readonly actualKib: number;
  readonly askedKib: number;
  readonly bootKib: number;
  readonly minKib: number;
  readonly isOverdrawn: boolean;
}

/** The target to send: what the guest has where the last one is in vain, else no more than was promised. */
export function insteadKib(
  doubt: Doubt,
  { actualKib, askedKib, bootKib, minKib, isOverdrawn }: Doubted,
): number {
  const heldKib = Math.min(bootKib, ceilMib(actualKib));
  if (doubt === 'in-vain') return heldKib;
  // The lesser of what the guest has and what it was asked, but at least its minimum (M3), within the promise
  // (M2). The guest may never have heard the promise: an overdrawn host gives nothing on the strength of it.
  const leastKib = isOverdrawn ? Math.min(minKib, heldKib) : minKib;
  return Math.min(Math.max(askedKib, heldKib), Math.max(Math.min(askedKib, heldKib), leastKib));
}
