// Finds out whether the host gets what a balloon takes (M8). The balloon's figure says what the guest gave
// up; only the host's figure says what came back. Whatever a QEMU holds beyond its guest's share counts at
// once as QEMU's own need; this file finds out when it is memory that the balloon took and the host never
// got. Where the host does not tell, what was held once counts as held for ever. Pure.
import { MIB_KIB } from '../../../shared/units.ts';

export interface Mark {
  readonly actualKib: number;
  readonly residentKib: number;
  /** QEMU's own need, as known then. */
  readonly overheadKib: number;
}

export interface Possession {
  /** What the guest has; where the host does not tell, the most the guest had since the host last told. */
  readonly heldKib: number;
  /** The figures when guest and host last agreed, before the balloon took more; null: not known yet. */
  readonly mark: Mark | null;
  /** The last figures before the balloon began to take; null: not known yet. */
  readonly top: Mark | null;
  /** When its balloon last took something. */
  readonly tookAtMs: number;
  /** `keeps`: its balloon takes memory and the host does not get it. Null: not found out yet. */
  readonly verdict: 'returns' | 'keeps' | null;
}

export interface Figures {
  readonly actualKib: number;
  readonly beforeKib: number;
  /** Null: the host does not tell. */
  readonly residentKib: number | null;
  readonly overheadKib: number;
}

/** A balloon must take this much before it is judged. */
const JUDGED_KIB = 64 * MIB_KIB;
/** After a balloon stood still for so long nothing more comes back. */
const SETTLED_MS = 5_000;

/** Until there are figures the guest counts as holding all of `-m`. */
export const freshPossession = (bootKib: number, nowMs: number): Possession => ({
  heldKib: bootKib,
  mark: null,
  top: null,
  tookAtMs: nowMs,
  verdict: null,
});

export function foldPossession(before: Possession, figures: Figures, nowMs: number): Possession {
  const { actualKib, residentKib, beforeKib, overheadKib } = figures;
  const isTaking = actualKib < beforeKib;
  const tookAtMs = isTaking ? nowMs : before.tookAtMs;
  if (residentKib === null)
    return { ...before, heldKib: Math.max(before.heldKib, actualKib), mark: null, top: null, tookAtMs };
  const here: Mark = { actualKib, residentKib, overheadKib };
  const { mark } = before;
  const top =
    before.top === null || actualKib > beforeKib || actualKib >= before.top.actualKib ? here : before.top;
  const seen = { heldKib: actualKib, top, tookAtMs };
  if (mark === null) return { ...seen, mark: here, verdict: before.verdict };
  if (hasReturned(mark, here) || hasReturned(top, here))
    return { ...seen, mark: isTaking ? mark : here, verdict: 'returns' };
  // While the balloon takes, the mark stays: each step alone is too small to judge.
  if (residentKib - mark.overheadKib <= actualKib)
    return { ...seen, mark: isTaking ? mark : here, verdict: before.verdict };
  const isSettled = nowMs - tookAtMs >= SETTLED_MS;
  const isFound = isSettled && before.verdict === null && hasKept(mark, here);
  const verdict = isFound ? 'keeps' : before.verdict;
  // Settled and not found to keep memory: whatever QEMU still holds too much is its own need.
  return { ...seen, mark: isSettled && verdict !== 'keeps' ? here : mark, verdict };
}

/** The part of what the balloon took that did not come back to the host. */
export const keptKib = (
  mark: Mark,
  { actualKib, residentKib }: Pick<Mark, 'actualKib' | 'residentKib'>,
): number => Math.min(mark.actualKib, residentKib - mark.overheadKib) - actualKib;

function hasReturned(mark: Mark, here: Mark): boolean {
  const tookKib = mark.actualKib - here.actualKib;
  return tookKib >= JUDGED_KIB && mark.residentKib - here.residentKib >= tookKib / 2;
}

/**
 * The balloon took much. Most of that had surely been touched before, so the host could have got it back; but
 * most of it is still held, and hardly any came back. QEMU's own need is known only roughly: for "surely",
 * twice that is assumed, which leaves less for the guest.
 */
function hasKept(mark: Mark, here: Mark): boolean {
  const tookKib = mark.actualKib - here.actualKib;
  const surelyKib = mark.residentKib - mark.overheadKib;
  const touchedKib = keptKib(mark, { actualKib: here.actualKib, residentKib: surelyKib });
  const cameBackKib = mark.residentKib - here.residentKib;
  return (
    tookKib >= JUDGED_KIB &&
    Math.min(touchedKib, keptKib(mark, here)) >= tookKib / 2 &&
    cameBackKib <= tookKib / 8
  );
}
