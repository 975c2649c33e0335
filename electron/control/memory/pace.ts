// How fast a balloon was seen to move towards its target. Pure.
import { MIB_KIB } from '../../../shared/units.ts';
import { TOLERANCE_KIB } from './actuate.ts';

/** Assumed until a balloon was seen to move: the pace of one that takes free memory. */
export const USUAL_PACE = 400 * MIB_KIB;
const PACE_SHARE = 0.3;
/** Below this, memory comes too late for a VM that runs short. A busy host slows an honest balloon, too. */
const SLOW_KIB_PER_S = 16 * MIB_KIB;
/** Memory that comes later than this is no help to a VM that waits now. */
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
  // Only a balloon that had some way to go for all of that time, and went it. progress.ts judges the others.
  const goneKib = Math.sign(wayKib) * (actualKib - beforeKib);
  if (Math.abs(wayKib) <= TOLERANCE_KIB || goneKib <= 0) return paceKibPerS;
  return paceKibPerS + PACE_SHARE * (goneKib / seconds - paceKibPerS);
}

/** The part of `owedKib` that will not come within SOON_S. */
export const lateKib = (paceKibPerS: number, owedKib: number): number =>
  Math.round(Math.max(0, owedKib - SOON_S * paceKibPerS));

export const isSlowPace = (paceKibPerS: number): boolean => paceKibPerS < SLOW_KIB_PER_S;

/** What so many slow balloons may have brought in that time. */
export const slowlyKib = (balloons: number, ms: number): number => (balloons * SLOW_KIB_PER_S * ms) / 1000;
