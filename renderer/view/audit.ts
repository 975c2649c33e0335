// A record of the audit in words. Pure.
import type { AuditEntry, AuditOutcome, AuditValues } from '../../shared/audit.ts';
import type { Dictionary } from '../i18n/en.ts';
import { formatBytes, formatKib } from './format.ts';

type Words = Dictionary['activity']['audit'];

/** Ids say nothing to people. */
const isId = (key: string): boolean => /(?:Id|^momentId|hasNote|isAccepted|expected|found)$/.test(key);

function valueWords(key: string, value: AuditValues[string], words: Words, language: string): string {
  if (value === null) return words.none;
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (typeof value === 'string') return value;
  if (/kib$/i.test(key)) return formatKib(value, language);
  return key === 'virtualBytes'
    ? formatBytes(value, language)
    : new Intl.NumberFormat(language).format(value);
}

/** "maximum 2 GiB → 4 GiB": what changed, and what else was asked for. */
export function changeWords(
  { from, to }: Pick<AuditEntry, 'from' | 'to'>,
  words: Words,
  language: string,
): string {
  return Object.entries(to)
    .filter(([key, value]) => !isId(key) && value !== '' && !(key in from && from[key] === value))
    .map(([key, value]) => {
      const now = valueWords(key, value, words, language);
      const before = from[key];
      const was = before === undefined ? '' : `${valueWords(key, before, words, language)} → `;
      return `${words.fields[key] ?? key} ${was}${now}`;
    })
    .join(' · ');
}

export const actionWords = (action: string, words: Words): string => words.actions[action] ?? action;

export const outcomeTone = (outcome: AuditOutcome): 'plain' | 'warn' | 'bad' => {
  if (outcome === 'denied' || outcome === 'failed') return 'bad';
  return outcome === 'refused' || outcome === 'unknown' ? 'warn' : 'plain';
};
