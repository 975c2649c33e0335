// Text of guests, images and other people before it is shown. Pure. Markup is never read as such (React writes text); what
// is left are characters that turn the words around them, hide, or draw as boxes.

/** Controls but for line breaks and tabs; marks, overrides and isolates of direction; what has no width. */
const HARMFUL = /(?![\n\t])\p{Cc}|[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/gu;
/** Letters wear a few marks in any script, not a tower of them. */
const TOWERS = /(\p{M}{4})\p{M}+/gu;

export const cleanText = (text: string): string => text.replace(HARMFUL, '').replace(TOWERS, '$1');

/** Every string of a payload; what needs nothing stays the same object, so that nothing is drawn again for it. */
export function cleanAll<T>(value: T): T {
  if (typeof value === 'string') return cleanText(value) as T;
  if (value === null || typeof value !== 'object') return value;
  const source = value as Readonly<Record<string, unknown>>;
  let cleaned: Record<string, unknown> | null = null;
  // `in`, and no lists of what is there: a history of 5,000 points comes by here.
  for (const key in source) {
    const part = source[key];
    const clean = cleanAll(part);
    if (clean === part) continue;
    cleaned ??= (Array.isArray(value) ? [...value] : { ...source }) as Record<string, unknown>;
    cleaned[key] = clean;
  }
  return (cleaned ?? value) as T;
}
