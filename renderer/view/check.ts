// Sums up what a check of the history found, for people: which points are damaged, which are whole. Pure.
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { newestFirst } from './points.ts';

export interface Findings {
  /** Points that read damaged data, newest first, those in the trash included. */
  readonly touched: readonly Moment[];
  readonly touchesNow: boolean;
  /** How many points no damage names. */
  readonly wholeCount: number;
  /** The best point to go back to. */
  readonly newestWhole: Moment | null;
  readonly files: number;
}

export function findingsOf(report: VerifyReport, timeline: Timeline): Findings {
  const ids = new Set<string>(report.damages.flatMap(damage => damage.momentIds));
  const isTouched = ({ id }: Moment): boolean => ids.has(id);
  const whole = newestFirst(timeline.moments.filter(moment => !isTouched(moment)));
  return {
    touched: newestFirst([...timeline.moments, ...timeline.trash].filter(isTouched)),
    touchesNow: report.damages.some(damage => damage.touchesNow),
    wholeCount: whole.length,
    newestWhole: whole[0] ?? null,
    files: new Set(report.damages.map(({ diskId, file }) => `${diskId}/${file}`)).size,
  };
}
