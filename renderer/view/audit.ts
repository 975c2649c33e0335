// Puts a record of the audit into words. Pure.
import type { AuditEntry, AuditOutcome, AuditValues } from '../../shared/audit.ts';
import type { Dictionary } from '../i18n/en.ts';
import { formatBytes, formatKib } from './format.ts';

type Words = Dictionary['activity']['audit'];

/** Fields left out, such as ids and hashes: they tell people nothing. */
const isId = (key: string): boolean =>
  /(?:Id|^momentId|hasNote|isAccepted|expected|found|^hash|^head)$/.test(key);

function valueWords(key: string, value: AuditValues[string], words: Words, language: string): string {
  if (value === null) return words.none;
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (typeof value === 'string') return value;
  if (/kib$/i.test(key)) return formatKib(value, language);
  return key === 'virtualBytes'
    ? formatBytes(value, language)
    : new Intl.NumberFormat(language).format(value);
}

/** A new empty value is told only where there was a value before. */
const isSaid = (value: AuditValues[string], before: AuditValues[string] | undefined): boolean =>
  before === undefined ? value !== '' && value !== null : value !== before;

/** "maximum 2 GiB → 4 GiB": the values that changed, and the others that were asked for. */
export function changeWords(
  { from, to }: Pick<AuditEntry, 'from' | 'to'>,
  words: Words,
  language: string,
): string {
  return Object.entries(to)
    .filter(([key, value]) => !isId(key) && isSaid(value, from[key]))
    .map(([key, value]) => {
      const now = valueWords(key, value, words, language);
      const before = from[key];
      const was = before === undefined ? '' : `${valueWords(key, before, words, language)} → `;
      return `${words.fields[key] ?? key} ${was}${now}`;
    })
    .join(' · ');
}

export const actionWords = (action: string, words: Words): string => words.actions[action] ?? action;

/** The class of an outcome's mark. `done` is no chip, so that the exceptions stand out. */
export const outcomeLook = (outcome: AuditOutcome): string => {
  if (outcome === 'done') return 'soft';
  if (outcome === 'denied' || outcome === 'failed') return 'chip bad';
  return outcome === 'refused' || outcome === 'unknown' ? 'chip warn' : 'chip calm';
};
