// What control asks of the policy in force, and how it refuses: each refusal names the key, the limit and who set it.
import type { ErrorBody } from '../../../shared/errors.ts';
import { sayAmount } from '../../../shared/policy/amount.ts';
import { type KeyOf, keyRow, type PolicyKey } from '../../../shared/policy/keys.ts';
import { Fault } from '../../../shared/result.ts';
import { isBelow, type Resolved, type ResolvedKey, type Spoken } from './resolve.ts';

type AmountKey = KeyOf<'memory' | 'size' | 'count'>;

export class Policy {
  readonly keys: Resolved;

  constructor(keys: Resolved) {
    this.keys = keys;
  }

  /** May people do that? */
  may(key: KeyOf<'flag'>): boolean {
    return this.keys[key].value !== false;
  }
  least(key: AmountKey): number | null {
    return this.keys[key].min?.is ?? null;
  }
  most(key: AmountKey): number | null {
    return this.keys[key].max?.is ?? null;
  }
  allows(key: KeyOf<'set'>, word: string): boolean {
    return this.keys[key].allowed?.is.includes(word) ?? true;
  }

  // ── refusals: Fault policy.denied ─────────────────────────────────────────────────────────────────────────────────

  require(key: KeyOf<'flag'>): void {
    if (!this.may(key)) throw denied(this.keys[key], 'it is not allowed', this.keys[key].valueBy);
  }

  /** Refuses where IT sets a most: then people may not turn it off. */
  requireUnset(key: AmountKey, what = 'it cannot be turned off'): void {
    const { max } = this.keys[key];
    if (max === null) return;
    const limit = sayAmount(keyRow(key).kind, max.is);
    throw denied(this.keys[key], `${what} while there is a limit of ${limit}`, max.by);
  }

  requireWithin(key: AmountKey, amount: number): void {
    const { min, max } = this.keys[key];
    const { kind } = keyRow(key);
    const text = sayAmount(kind, amount);
    if (max !== null && amount > max.is)
      throw denied(this.keys[key], `${text} is more than the limit of ${sayAmount(kind, max.is)}`, max.by, {
        amount,
        limit: max.is,
      });
    if (min !== null && amount < min.is)
      throw denied(this.keys[key], `${text} is less than the limit of ${sayAmount(kind, min.is)}`, min.by, {
        amount,
        limit: min.is,
      });
  }

  requireWord(key: KeyOf<'set'>, word: string): void {
    const { allowed } = this.keys[key];
    if (allowed === null || allowed.is.includes(word)) return;
    throw denied(
      this.keys[key],
      `${word} is not among what is allowed (${allowed.is.join(', ') || 'nothing'})`,
      allowed.by,
    );
  }

  /** `path` real: no links. */
  requireFolder(key: KeyOf<'folders'>, path: string): void {
    const { allowed } = this.keys[key];
    if (allowed === null || allowed.is.some(folder => isBelow(folder, path))) return;
    throw denied(
      this.keys[key],
      `${path} is not below ${allowed.is.join(' or ') || 'any folder that is allowed'}`,
      allowed.by,
    );
  }
}

export function denied(
  { key }: Pick<ResolvedKey, 'key'>,
  why: string,
  by: Spoken | null,
  data: Readonly<Record<string, number>> = {},
): Fault {
  const source = by === null ? null : `${by.source.path}:${by.line}`;
  const who = by?.source.organization || 'whoever manages this computer';
  const body: ErrorBody = {
    code: 'policy.denied',
    what: `${key}: ${why.slice(0, 800)}${source === null ? '' : ` (${source})`}.`,
    safe: 'Nothing was changed.',
    todo: [by?.reason, `Set by ${who}.`, by?.source.contact && `Ask: ${by.source.contact}`]
      .filter(Boolean)
      .join(' '),
    data: {
      key: key satisfies PolicyKey,
      source,
      reason: by?.reason ?? '',
      organization: by?.source.organization ?? '',
      ...data,
    },
  };
  return new Fault(body);
}
