// Puts the rules of IT policy into words, in the language of the window. Pure.
import { sayAmount } from '../../shared/policy/amount.ts';
import { isPolicyKey, keyRow, type PolicyKey } from '../../shared/policy/keys.ts';
import type { PolicyReport, PolicyRow } from '../../shared/policy/report.ts';
import { bytesToKib } from '../../shared/units.ts';
import type { Dictionary } from '../i18n/en.ts';
import type { Language } from '../state/preferences.ts';
import { formatKib } from './format.ts';

type Words = Dictionary['policy'];

export function keyWords(key: string, language: Language): { readonly title: string; readonly doc: string } {
  if (!isPolicyKey(key)) return { title: key, doc: '' };
  return keyRow(key)[language === 'zh-CN' ? 'zh' : 'en'];
}

function amountWords(key: PolicyKey, amount: number, language: Language): string {
  const { kind } = keyRow(key);
  if (kind === 'memory') return formatKib(amount, language);
  return kind === 'size' ? formatKib(bytesToKib(amount), language) : sayAmount(kind, amount);
}

export function valueText({ key, value }: PolicyRow, words: Words, language: Language): string {
  if (!isPolicyKey(key)) return String(value);
  if (keyRow(key).kind === 'flag') return value === false ? words.notAllowed : words.allowed;
  if (typeof value === 'number') return amountWords(key, value, language);
  return value === null ? words.none : String(value);
}

export function limitText({ key, min, max, allowed }: PolicyRow, words: Words, language: Language): string {
  if (!isPolicyKey(key)) return '';
  return [
    min === null ? '' : words.atLeast(amountWords(key, min, language)),
    max === null ? '' : words.atMost(amountWords(key, max, language)),
    allowed === null ? '' : words.only(allowed.join(', ') || words.nothing),
  ]
    .filter(Boolean)
    .join(', ');
}

/** The files and lines of the rules that bind: "50-lab.json:7". */
export const placesOf = ({ said }: PolicyRow): string[] =>
  said.flatMap(({ effect, layer, by, line }) =>
    effect === 'binds' && (layer === 'managed' || layer === 'recommended')
      ? [`${by.split(/[/\\]/).at(-1)}:${line}`]
      : [],
  );

export const ruleOf = (report: PolicyReport | null, key: PolicyKey): PolicyRow | null =>
  report?.rows.find(row => row.key === key && row.isManaged) ?? null;

export const troubledFiles = (report: PolicyReport | null): PolicyReport['files'] =>
  report?.files.filter(({ state }) => state !== 'in-force') ?? [];
