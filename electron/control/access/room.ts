// Decides which sessions end to make room for one more: first among those of the same name, then among all;
// those left alone longest go first. Pure.
import { SESSIONS_MAX, SESSIONS_OF_ONE_MAX } from '../../../shared/access.ts';
import type { StoredSession } from './store.ts';

export interface Guest {
  readonly row: Pick<StoredSession, 'user' | 'lastSeenAt'>;
  readonly open: { readonly size: number };
}

export function makingRoom<G extends Guest>(all: readonly G[], user: string): ReadonlySet<G> {
  const own = longestAway(all.filter(({ row }) => row.user === user));
  const ended = new Set(beyond(own, SESSIONS_OF_ONE_MAX));
  const left = longestAway(all.filter(guest => !ended.has(guest)));
  return new Set([...ended, ...beyond(left, SESSIONS_MAX)]);
}

const longestAway = <G extends Guest>(some: readonly G[]): G[] =>
  [...some].sort(
    (a, b) => Number(a.open.size > 0) - Number(b.open.size > 0) || a.row.lastSeenAt - b.row.lastSeenAt,
  );

/** As many of the first as must go so that one more is not too many. */
const beyond = <G>(some: readonly G[], max: number): G[] => some.slice(0, Math.max(0, some.length - max + 1));

/** Does `work`; what the disk refuses is thrown as `refusal`. */
export function written(work: () => void, refusal: (cause: unknown) => Error): void {
  try {
    work();
  } catch (cause) {
    throw refusal(cause);
  }
}

/** Does all of them, even where some throw; then throws what the first of these threw. */
export function doAll(works: readonly (() => void)[]): void {
  const refused: unknown[] = [];
  for (const work of works)
    try {
      work();
    } catch (cause) {
      refused.push(cause);
    }
  if (refused.length > 0) throw refused[0];
}
