// Automatic history in the window: the values of its fields, and sums of what cleaning up keeps. Pure.
import type { CleanUp, Frees, Protection } from '../../shared/history.ts';

/** "09:30", the form a time field has. */
export const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Minutes after midnight; null: `clock` is no time of day. */
export function minuteOf(clock: string): number | null {
  const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(clock) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  return hours !== '' && Number(hours) < 24 && Number(minutes) < 60 ? minute : null;
}

/** The whole number that was typed; null: it is none, or out of bounds. */
export function countOf(typed: string, least: number, most: number): number | null {
  const count = /^\d{1,6}$/.test(typed.trim()) ? Number(typed) : Number.NaN;
  return count >= least && count <= most ? count : null;
}

/** How many points stay for each reason, the most frequent first. */
export function staying({ kept }: Pick<CleanUp, 'kept'>): readonly (readonly [Protection, number])[] {
  const counts = new Map<Protection, number>();
  for (const { because } of kept) counts.set(because, (counts.get(because) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

export const NOTHING: Frees = { freesNowBytes: 0, freesLaterBytes: 0 };

/** What dropping the oldest `count` candidates together frees. */
export const freesOf = ({ candidates }: Pick<CleanUp, 'candidates'>, count: number): Frees =>
  candidates[Math.min(count, candidates.length) - 1]?.frees ?? NOTHING;
