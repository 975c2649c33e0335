// How fast a balloon was seen to do what it was asked. Pure.
import { MIB_KIB } from '../../../shared/units.ts';
import { TOLERANCE_KIB } from './actuate.ts';

/** Until a guest was seen to give back: a balloon taking free memory. */
export const USUAL_PACE = 400 * MIB_KIB;
const PACE_SHARE = 0.3;
/** A busy computer slows an honest balloon, too; what comes slower than this comes too late for who runs short. */
const SLOW_KIB_PER_S = 16 * MIB_KIB;
/** What comes later than this is no help to who waits now. */
const SOON_S = 4;

export interface Stretch {
  readonly beforeKib: number | null;
  readonly actualKib: number | null;
  readonly targetKib: number | null;
  readonly seconds: number;
}

export function foldPace(paceKibPerS: number, { beforeKib, actualKib, targetKib, seconds }: Stretch): number {
  if (beforeKib === null || actualKib === null || targetKib === null || seconds <= 0) return paceKibPerS;
  const wayKib = targetKib - actualKib;
  // Only where there was some way to go for all of that time, and it went it: who stands still is judged elsewhere.
  const goneKib = Math.sign(wayKib) * (actualKib - beforeKib);
  if (Math.abs(wayKib) <= TOLERANCE_KIB || goneKib <= 0) return paceKibPerS;
  return paceKibPerS + PACE_SHARE * (goneKib / seconds - paceKibPerS);
}

/** Of what it owes, what will not come within moments. */
export const lateKib = (paceKibPerS: number, owedKib: number): number =>
  Math.round(Math.max(0, owedKib - SOON_S * paceKibPerS));

export const isSlowPace = (paceKibPerS: number): boolean => paceKibPerS < SLOW_KIB_PER_S;

/** What so many slow balloons may have brought meanwhile. */
export const slowlyKib = (balloons: number, ms: number): number => (balloons * SLOW_KIB_PER_S * ms) / 1000;
