// Cleans text of guests, images and other people before it is shown. Pure. Markup is no danger (React writes
// text). The danger left are characters that reorder the words around them, hide, or draw as boxes.

/** Controls but line breaks and tabs; marks, overrides and isolates of direction; zero-width characters. */
const HARMFUL = /(?![\n\t])\p{Cc}|[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/gu;
/** More combining marks on one letter than any script uses. */
const TOWERS = /(\p{M}{4})\p{M}+/gu;

export const cleanText = (text: string): string => text.replace(HARMFUL, '').replace(TOWERS, '$1');

/** Cleans every string of a payload. A clean part stays the same object, so that React does not redraw it. */
export function cleanAll<T>(value: T): T {
  if (typeof value === 'string') return cleanText(value) as T;
  if (value === null || typeof value !== 'object') return value;
  const source = value as Readonly<Record<string, unknown>>;
  let cleaned: Record<string, unknown> | null = null;
  // `in`, not Object.entries: a history of 5,000 points passes here, and lists of entries would cost.
  for (const key in source) {
    const part = source[key];
    const clean = cleanAll(part);
    if (clean === part) continue;
    cleaned ??= (Array.isArray(value) ? [...value] : { ...source }) as Record<string, unknown>;
    cleaned[key] = clean;
  }
  return (cleaned ?? value) as T;
}
