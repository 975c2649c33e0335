// A range on trial: the countdown on screen, and news for a screen reader. Pure; times are wall clock.
import { type MemoryRange, type RangeUndo, sameRange } from '../../shared/memory.ts';

export interface Trial {
  readonly before: MemoryRange;
  readonly endsAt: number;
}

export const trialOf = ({ before, trialEndsAt }: RangeUndo): Trial | null =>
  before === null || trialEndsAt === null ? null : { before, endsAt: trialEndsAt };

/** The range an undo brings back; null: it would change nothing, or a trial, with its own end, is on. */
export const undoTarget = (undo: RangeUndo, now: MemoryRange): MemoryRange | null =>
  undo.before === null || undo.trialEndsAt !== null || sameRange(undo.before, now) ? null : undo.before;

const SECOND_MS = 1000;

/** Whole seconds as shown: the last one is 1, and at 0 the trial is over. */
export const secondsLeft = (endsAt: number, now: number): number =>
  Math.max(0, Math.ceil((endsAt - now) / SECOND_MS));

/** Milliseconds until the number shown changes; null: it no longer changes. */
export function untilNextSecond(endsAt: number, now: number): number | null {
  const left = endsAt - now;
  return left <= 0 ? null : left % SECOND_MS || SECOND_MS;
}

/** "0:48" */
export const formatCountdown = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

/** With this many seconds left the end is announced. */
const SOON_S = 10;

export type TrialNews = 'began' | 'soon' | 'ended' | null;

/** What a screen reader is told when `was` becomes `is`: the beginning, ten seconds left, or the end. */
export function trialNews(
  was: { readonly trial: Trial | null; readonly left: number },
  is: { readonly trial: Trial | null; readonly left: number },
): TrialNews {
  if (is.trial === null) return was.trial === null ? null : 'ended';
  if (was.trial?.endsAt !== is.trial.endsAt) return 'began';
  return was.left > SOON_S && is.left <= SOON_S ? 'soon' : null;
}
