// The spans of the memory chart. Pure.
const MINUTE_MS = 60_000;

export const SPANS = ['minutes', 'hour', 'day', 'week'] as const;
export type Span = (typeof SPANS)[number];

export const SPAN_MS: Readonly<Record<Span, number>> = {
  minutes: 10 * MINUTE_MS,
  hour: 60 * MINUTE_MS,
  day: 24 * 60 * MINUTE_MS,
  week: 7 * 24 * 60 * MINUTE_MS,
};

/** How often the service is asked again: no sooner than it has a new figure to draw. */
export const REFRESH_MS: Readonly<Record<Exclude<Span, 'minutes'>, number>> = {
  hour: 10_000,
  day: 2 * MINUTE_MS,
  week: 5 * MINUTE_MS,
};

/** The entry nearest to a time and no farther from it than `withinMs`; null: there is none. */
export function nearest<T extends { readonly at: number }>(
  entries: readonly T[],
  at: number,
  withinMs: number,
): T | null {
  let found: T | null = null;
  for (const entry of entries) {
    const distance = Math.abs(entry.at - at);
    if (distance <= withinMs && (found === null || distance < Math.abs(found.at - at))) found = entry;
  }
  return found;
}
