// Resolves what is in force for each key, from all that files, people and Ebb itself say of it. Pure. Managed
// > user > recommended > built in. The bounds of all managed files are intersected. Where one of two rules is
// stricter, the order of their files does not matter.
import { sayAmount } from '../../../shared/policy/amount.ts';
import { isAmount, type Layer, type Rule } from '../../../shared/policy/file.ts';
import {
  keyRow,
  POLICY_KEY_NAMES,
  type PolicyKey,
  type PolicyKeyRow,
  type SettingKey,
} from '../../../shared/policy/keys.ts';
import type { PolicyRow, PolicyValue } from '../../../shared/policy/report.ts';

export interface Source {
  readonly path: string;
  readonly layer: Layer;
  readonly organization: string;
  readonly contact: string;
  /** Nobody but an administrator can have written it. */
  readonly mayPermit: boolean;
}
export type Spoken = Rule & { readonly source: Source };

/** What people set, by key. Undefined: they set nothing; null: they set "none". */
export type UserValues = Readonly<Partial<Record<SettingKey, PolicyValue>>>;

export interface PolicyInput {
  /** The system's folder first, then by name: of two equally strict rules the first wins. */
  readonly spoken: readonly Spoken[];
  readonly user: UserValues;
  /** Built in. */
  readonly defaults: UserValues;
}

/** One part of a key, and the rule that set it. */
interface Bound<T> {
  readonly is: T;
  readonly by: Spoken;
}

export interface ResolvedKey {
  readonly key: PolicyKey;
  readonly value: PolicyValue;
  readonly from: PolicyRow['from'];
  readonly min: Bound<number> | null;
  readonly max: Bound<number> | null;
  readonly allowed: Bound<readonly string[]> | null;
  readonly valueBy: Spoken | null;
  readonly said: readonly Spoken[];
  readonly conflicts: readonly string[];
}
export type Resolved = Readonly<Record<PolicyKey, ResolvedKey>>;

export function resolvePolicy(input: PolicyInput): Resolved {
  const rows = POLICY_KEY_NAMES.map(key => [key, resolveKey(key, input)] as const);
  return Object.fromEntries(rows) as Resolved;
}

const placeOf = ({ source, line }: Spoken): string => `${source.path}:${line}`;
const managed = (rule: Spoken): boolean => rule.source.layer === 'managed';

function resolveKey(key: PolicyKey, { spoken, user, defaults }: PolicyInput): ResolvedKey {
  const row = keyRow(key);
  const said = spoken.filter(rule => rule.key === key);
  const conflicts: string[] = [];
  const rules = said.filter(rule => managed(rule) && !isBeyond(row, rule, conflicts));
  const { min, max } = boundsOf(key, row, rules, conflicts);
  const allowed = allowedOf(key, row, rules, conflicts);
  const forced = forcedOf(key, row, rules, conflicts);
  const advised = said.find(rule => !managed(rule) && rule.value !== null);
  const own = user[key as SettingKey];
  const wanted =
    forced !== null
      ? ({ from: 'managed', value: forced.is } as const)
      : own !== undefined
        ? ({ from: 'user', value: own } as const)
        : advised !== undefined
          ? ({ from: 'recommended', value: advised.value } as const)
          : ({
              from: 'default',
              value: defaults[key as SettingKey] ?? (row.kind === 'flag' ? row.isPermission !== true : null),
            } as const);
  const value = within(row, wanted.value, { min: min?.is, max: max?.is, allowed: allowed?.is });
  if (forced !== null && value !== forced.is)
    conflicts.push(
      `${key}: ${placeOf(forced.by)} sets ${say(row, forced.is)}, which other rules do not allow; ${say(row, value)} is in force.`,
    );
  const from = value !== wanted.value ? 'managed' : wanted.from;
  return { key, value, from, min, max, allowed, valueBy: forced?.by ?? null, said, conflicts };
}

/** A file that the restrained user can write may narrow, but permits nothing: such a rule is set aside. */
function isBeyond({ isPermission }: PolicyKeyRow, rule: Spoken, conflicts: string[]): boolean {
  if (isPermission !== true || rule.value !== true || rule.source.mayPermit) return false;
  conflicts.push(
    `${rule.key}: ${placeOf(rule)} permits it, which only a file that nobody but an administrator can write does; it is set aside.`,
  );
  return true;
}

/** The allowed value nearest to `value`. */
function within(
  { kind }: PolicyKeyRow,
  value: PolicyValue,
  {
    min,
    max,
    allowed,
  }: { min: number | undefined; max: number | undefined; allowed: readonly string[] | undefined },
): PolicyValue {
  if (kind === 'choice')
    return allowed === undefined || allowed.includes(String(value)) ? value : (allowed[0] ?? value);
  if (typeof value !== 'number') return value === null && max !== undefined ? max : value;
  return Math.min(Math.max(value, min ?? value), max ?? Number.MAX_SAFE_INTEGER);
}

/** In words. */
export const say = (row: PolicyKeyRow, value: PolicyValue): string =>
  typeof value === 'number' && isAmount(row) ? sayAmount(row.kind, value) : String(value ?? 'none');

function strictest(
  rules: readonly Spoken[],
  part: 'min' | 'max' | 'value',
  most: boolean,
): Bound<number> | null {
  let best: Bound<number> | null = null;
  for (const by of rules) {
    const is = by[part];
    if (typeof is !== 'number') continue;
    if (best === null || (most ? is > best.is : is < best.is)) best = { is, by };
  }
  return best;
}

function boundsOf(
  key: PolicyKey,
  row: PolicyKeyRow,
  rules: readonly Spoken[],
  conflicts: string[],
): { min: Bound<number> | null; max: Bound<number> | null } {
  const min = strictest(rules, 'min', true);
  const max = strictest(rules, 'max', false);
  if (min === null || max === null || min.is <= max.is) return { min, max };
  const [wins, loses] = row.strict === 'more' ? [min, max] : [max, min];
  conflicts.push(
    `${key}: ${placeOf(min.by)} wants at least ${say(row, min.is)} and ${placeOf(max.by)} at most ${say(row, max.is)}; ${placeOf(wins.by)}, the stricter, wins over ${placeOf(loses.by)}.`,
  );
  return row.strict === 'more' ? { min, max: null } : { min: null, max };
}

function allowedOf(
  key: PolicyKey,
  row: PolicyKeyRow,
  rules: readonly Spoken[],
  conflicts: string[],
): Bound<readonly string[]> | null {
  let found: Bound<readonly string[]> | null = null;
  for (const by of rules) {
    if (by.allowed === null) continue;
    const both: readonly string[] = found === null ? by.allowed : common(row, found.is, by.allowed);
    // A choice must have something left to choose.
    if (row.kind === 'choice' && both.length === 0) {
      const than = found === null ? '' : `, and ${placeOf(found.by)} other words`;
      conflicts.push(
        `${key}: ${placeOf(by)} allows ${by.allowed.join(', ') || 'nothing'}${than}; it is set aside.`,
      );
      continue;
    }
    found = { is: both, by: found !== null && both.length === found.is.length ? found.by : by };
  }
  if (found === null) return null;
  const { by } = found;
  const is = row.kind === 'folders' ? outermost(found.is) : found.is;
  return { is: [...is, ...(row.always ?? []).filter(word => !is.includes(word))], by };
}

/** The folders that lie in no other of them. */
const outermost = (folders: readonly string[]): string[] =>
  [...new Set(folders)].filter(folder => !folders.some(other => other !== folder && isBelow(other, folder)));

/** The words in both lists; of folders, those that both lists cover. */
function common({ kind }: PolicyKeyRow, some: readonly string[], others: readonly string[]): string[] {
  if (kind !== 'folders') return some.filter(word => others.includes(word));
  return [
    ...some.filter(folder => others.some(other => isBelow(other, folder))),
    ...others.filter(folder => some.some(other => isBelow(other, folder))),
  ];
}

/** `path` is `folder` or lies below it. Both real: no links, no dots. */
export function isBelow(folder: string, path: string): boolean {
  const end = folder.replace(/[/\\]+$/, '');
  return path === end || path.startsWith(`${end}/`) || path.startsWith(`${end}\\`);
}

function forcedOf(
  key: PolicyKey,
  row: PolicyKeyRow,
  rules: readonly Spoken[],
  conflicts: string[],
): Bound<number | boolean | string> | null {
  const speak = rules.flatMap(by => (by.value === null ? [] : [{ is: by.value, by }]));
  const [first] = speak;
  if (first === undefined) return null;
  const wins =
    row.kind === 'flag'
      ? (speak.find(({ is }) => is === false) ?? first)
      : row.strict === undefined
        ? first
        : (strictest(rules, 'value', row.strict === 'more') ?? first);
  const loses = speak.find(({ is }) => is !== wins.is);
  if (loses !== undefined)
    conflicts.push(
      `${key}: ${placeOf(loses.by)} sets ${say(row, loses.is)} and ${placeOf(wins.by)} sets ${say(row, wins.is)}; ${placeOf(wins.by)} wins.`,
    );
  return wins;
}
