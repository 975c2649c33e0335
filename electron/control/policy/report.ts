// The policy as people are told of it: a row for each key, with everything that is said of the key, and by
// whom. Pure.
import type { Rule } from '../../../shared/policy/file.ts';
import { keyRow, POLICY_KEY_NAMES, type PolicyKey, type SettingKey } from '../../../shared/policy/keys.ts';
import type { PolicyReport, PolicyRow, PolicyValue } from '../../../shared/policy/report.ts';
import type { Reading } from './reading.ts';
import { type Resolved, type ResolvedKey, type Spoken, say, type UserValues } from './resolve.ts';

const SAID_MAX = 190;

const wordOf = (key: PolicyKey, value: PolicyValue): string => say(keyRow(key), value);

/** "at least 6.0 GiB, at most 8.0 GiB". */
export function ruleText({ key, value, min, max, allowed }: Rule): string {
  return [
    value === null ? '' : wordOf(key, value),
    min === null ? '' : `at least ${wordOf(key, min)}`,
    max === null ? '' : `at most ${wordOf(key, max)}`,
    allowed === null ? '' : `allowed: ${allowed.join(', ') || 'nothing'}`,
  ]
    .filter(Boolean)
    .join(', ');
}

const boundBy = ({ min, max, allowed, valueBy }: ResolvedKey): ReadonlySet<Spoken> =>
  new Set([valueBy, max?.by, min?.by, allowed?.by].filter(by => by !== null && by !== undefined));

function saidOf(found: ResolvedKey, user: UserValues, defaults: UserValues): PolicyRow['said'] {
  const { key, from } = found;
  const binding = boundBy(found);
  const advice = found.said.find(({ source, value }) => source.layer === 'recommended' && value !== null);
  const files = found.said.slice(0, SAID_MAX).map(rule => {
    const binds = binding.has(rule) || (from === 'recommended' && rule === advice);
    const { path, layer } = rule.source;
    return {
      by: path,
      line: rule.line,
      layer,
      text: ruleText(rule),
      effect: binds ? 'binds' : 'beaten',
    } as const;
  });
  const own = (by: 'user' | 'default', values: UserValues) => {
    const value = values[key as SettingKey];
    if (value === undefined) return [];
    return [
      { by, line: 0, layer: by, text: wordOf(key, value), effect: from === by ? 'binds' : 'beaten' } as const,
    ];
  };
  const all = [...files, ...own('user', user), ...own('default', defaults)];
  return [
    ...all.filter(({ effect }) => effect === 'binds'),
    ...all.filter(({ effect }) => effect === 'beaten'),
  ];
}

function isLocked({ key, value, min, max, allowed, valueBy }: ResolvedKey): boolean {
  if (keyRow(key).kind === 'flag') return value === false;
  if (valueBy !== null) return true;
  if (keyRow(key).kind === 'choice') return allowed?.is.length === 1;
  return min !== null && max !== null && min.is === max.is;
}

function rowOf(found: ResolvedKey, user: UserValues, defaults: UserValues): PolicyRow {
  const binding = [...boundBy(found)];
  const source = binding[0]?.source;
  return {
    key: found.key,
    value: found.value,
    from: found.from,
    min: found.min?.is ?? null,
    max: found.max?.is ?? null,
    allowed: found.allowed === null ? null : [...found.allowed.is],
    isManaged: binding.length > 0,
    isLocked: isLocked(found),
    reason: binding.find(({ reason }) => reason !== '')?.reason ?? '',
    organization: source?.organization ?? '',
    contact: source?.contact ?? '',
    said: saidOf(found, user, defaults),
  };
}

export interface Told {
  readonly folders: readonly string[];
  readonly reading: Reading;
  readonly resolved: Resolved;
  readonly user: UserValues;
  readonly defaults: UserValues;
}

export const reportOf = ({ folders, reading, resolved, user, defaults }: Told): PolicyReport => ({
  folders: [...folders],
  organization: reading.organization,
  contact: reading.contact,
  files: [...reading.files],
  rows: POLICY_KEY_NAMES.map(key => rowOf(resolved[key], user, defaults)),
  conflicts: POLICY_KEY_NAMES.flatMap(key => resolved[key].conflicts)
    .slice(0, 200)
    .map(text => text.slice(0, 2000)),
});
