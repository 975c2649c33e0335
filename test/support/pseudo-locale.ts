// A language that is no language: every sentence of the English dictionary 40 % longer and between marks, so that what is
// cut off, put together from parts or written outside the dictionary is seen at once in a picture.

export const PSEUDO_MARKS = ['⟦', '⟧'] as const;
const LONGER = 0.4;

const strange = (text: string): string =>
  text === ''
    ? ''
    : `${PSEUDO_MARKS[0]}${text}${'·'.repeat(Math.max(2, Math.ceil(text.length * LONGER)))}${PSEUDO_MARKS[1]}`;

/** The same dictionary, of strange words; what is a rule rather than a word stays. */
export function pseudo<D>(dictionary: D): D {
  if (typeof dictionary === 'string') return strange(dictionary) as D;
  if (typeof dictionary === 'function')
    return ((...given: unknown[]) => pseudo((dictionary as (...all: unknown[]) => unknown)(...given))) as D;
  if (dictionary === null || typeof dictionary !== 'object') return dictionary;
  return Object.fromEntries(Object.entries(dictionary).map(([key, value]) => [key, pseudo(value)])) as D;
}
