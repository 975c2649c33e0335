// Precedence, bounds and conflicts: what is in force of many files is no looser than any of them, whatever their order.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../../electron/control/policy/policy.ts';
import { isBelow } from '../../../../electron/control/policy/resolve.ts';
import { keyRow, POLICY_KEY_NAMES, type PolicyKey } from '../../../../shared/policy/keys.ts';
import { exampleRule } from '../../../../shared/policy/schema.ts';
import { managed, policyOf, policyText, type Settings } from '../../../support/policies.ts';

const GIB = 1024 * 1024;
const RESERVE = 'memory.host.reserve';

const conflictsOf = (policy: Policy, key: PolicyKey): readonly string[] => policy.keys[key].conflicts;

describe('precedence of a value', () => {
  const files = {
    'managed/a.json': policyText({ [RESERVE]: { value: '5GiB' } }),
    'recommended/a.json': policyText({ [RESERVE]: { value: '3GiB' } }),
  };
  const { 'recommended/a.json': advised } = files;
  it.each([
    ['managed', files, { [RESERVE]: 4 * GIB }, 5],
    ['user', { 'recommended/a.json': advised }, { [RESERVE]: 4 * GIB }, 4],
    ['recommended', { 'recommended/a.json': advised }, {}, 3],
    ['default', {}, {}, 2],
  ] as const)('%s', (from, given, user, gib) => {
    const policy = policyOf(given, user, { [RESERVE]: 2 * GIB });
    expect(policy.keys[RESERVE]).toMatchObject({ from, value: gib * GIB });
  });

  it('of a user, of a recommendation and of what is built in stays within the bounds', () => {
    const bounds = { 'managed/a.json': policyText({ [RESERVE]: { min: '6GiB', max: '8GiB' } }) };
    const value = (user: object, more: object = {}): unknown =>
      policyOf({ ...bounds, ...more }, user, { [RESERVE]: 2 * GIB }).keys[RESERVE].value;
    expect(value({})).toBe(6 * GIB);
    expect(value({ [RESERVE]: 16 * GIB })).toBe(8 * GIB);
    expect(value({ [RESERVE]: 7 * GIB })).toBe(7 * GIB);
    expect(value({}, { 'recommended/a.json': policyText({ [RESERVE]: { value: '9GiB' } }) })).toBe(8 * GIB);
  });

  it('that is none has a limit where there is one', () => {
    expect(managed({ 'memory.vm.max': { max: '6GiB' } }).keys['memory.vm.max'].value).toBe(6 * GIB);
    expect(managed({}).keys['memory.vm.max'].value).toBeNull();
  });

  it('recommended binds nobody where it is no setting, and is a warning', () => {
    const policy = policyOf({ 'recommended/a.json': policyText({ 'vm.delete': { value: false } }) });
    expect(policy.may('vm.delete')).toBe(true);
  });
});

describe('several files', () => {
  it('intersect their bounds, the tightest of each', () => {
    const policy = policyOf({
      'managed/a.json': policyText({ 'vm.running': { max: 5 }, 'vm.sources': { allowed: ['iso', 'disk'] } }),
      'managed/b.json': policyText({
        'vm.running': { max: 3 },
        'vm.sources': { allowed: ['disk', 'empty'] },
      }),
    });
    expect(policy.most('vm.running')).toBe(3);
    expect(policy.keys['vm.sources'].allowed?.is).toEqual(['disk']);
    expect(conflictsOf(policy, 'vm.running')).toEqual([]);
  });

  it('that leave nothing in common: the stricter wins and both are named', () => {
    const policy = policyOf({
      'managed/a.json': policyText({ [RESERVE]: { max: '4GiB' }, 'memory.weight': { min: 200 } }),
      'managed/b.json': policyText({ [RESERVE]: { min: '6GiB' }, 'memory.weight': { max: 100 } }),
    });
    expect(policy.keys[RESERVE].value).toBeNull();
    expect([policy.least(RESERVE), policy.most(RESERVE)]).toEqual([6 * GIB, null]);
    expect([policy.least('memory.weight'), policy.most('memory.weight')]).toEqual([null, 100]);
    for (const key of [RESERVE, 'memory.weight'] as const) {
      const [conflict] = conflictsOf(policy, key);
      expect(conflict).toContain('/p/managed/a.json:');
      expect(conflict).toContain('/p/managed/b.json:');
    }
  });

  it('that set different values: false, or the stricter; else the first by name; named in each case', () => {
    const policy = policyOf({
      'managed/a.json': policyText({
        'vm.delete': { value: true },
        'memory.mode': { value: 'ratio' },
        [RESERVE]: { value: '4GiB' },
      }),
      'managed/b.json': policyText({
        'vm.delete': { value: false },
        'memory.mode': { value: 'need' },
        [RESERVE]: { value: '6GiB' },
      }),
    });
    expect(policy.may('vm.delete')).toBe(false);
    expect(policy.keys['memory.mode'].value).toBe('ratio');
    expect(policy.keys[RESERVE].value).toBe(6 * GIB);
    for (const key of ['vm.delete', 'memory.mode', RESERVE] as const)
      expect(conflictsOf(policy, key)).toHaveLength(1);
  });

  it('of a choice that leave no word: the first stays', () => {
    const policy = policyOf({
      'managed/a.json': policyText({ 'memory.mode': { allowed: ['ratio'] } }),
      'managed/b.json': policyText({ 'memory.mode': { allowed: ['need'] } }),
    });
    expect(policy.keys['memory.mode']).toMatchObject({ value: 'ratio' });
    expect(conflictsOf(policy, 'memory.mode')).toHaveLength(1);
  });

  it('of folders leave what lies in both', () => {
    const policy = policyOf({
      'managed/a.json': policyText({ 'import.folders': { allowed: ['/srv', '/home/x/iso'] } }),
      'managed/b.json': policyText({ 'import.folders': { allowed: ['/srv/images', '/home'] } }),
    });
    expect(policy.keys['import.folders'].allowed?.is.toSorted()).toEqual(['/home/x/iso', '/srv/images']);
  });

  it('a folder is itself and what is below it, not what begins alike', () => {
    expect(isBelow('/srv/a', '/srv/a')).toBe(true);
    expect(isBelow('/srv/a/', '/srv/a/b')).toBe(true);
    expect(isBelow('/srv/a', '/srv/ab')).toBe(false);
    expect(isBelow('/', '/etc')).toBe(true);
  });
});

it('what is a permission is not allowed where nobody speaks, and one who says no has the last word', () => {
  const [yes, no] = [{ 'headless.network': { value: true } }, { 'headless.network': { value: false } }];
  expect(managed({}).may('headless.network')).toBe(false);
  expect(managed(yes).may('headless.network')).toBe(true);
  for (const [first, second] of [
    [yes, no],
    [no, yes],
  ])
    expect(
      policyOf({ 'managed/a.json': policyText(first ?? {}), 'managed/b.json': policyText(second ?? {}) }).may(
        'headless.network',
      ),
    ).toBe(false);
});

/** Rules of every key, as files may say them. */
const ruleOf = (key: PolicyKey): fc.Arbitrary<Record<string, unknown>> => {
  const row = keyRow(key);
  const words = row.kind === 'folders' ? ['/a', '/a/b', '/c'] : [...(row.choices ?? [])];
  const units = { memory: (n: number) => `${n}GiB`, size: (n: number) => `${n}GiB`, count: (n: number) => n };
  const value = fc
    .integer({ min: 1, max: 60 })
    .map(n => (row.kind in units ? units[row.kind as 'count'](n) : n % 2 === 0));
  const of = {
    value: row.kind === 'choice' ? fc.constantFrom(...words) : value,
    min: value,
    max: value,
    allowed: fc.subarray(words),
  };
  return fc
    .subarray([...row.parts], { minLength: 1 })
    .chain(parts => fc.record(Object.fromEntries(parts.map(part => [part, of[part]]))));
};
const settings: fc.Arbitrary<Settings> = fc
  .subarray(POLICY_KEY_NAMES, { minLength: 1, maxLength: 6 })
  .chain(keys => fc.record(Object.fromEntries(keys.map(key => [key, ruleOf(key)]))));

/** `a` lets nobody do what `b` forbids. */
function isNoLooser(a: Policy, b: Policy): boolean {
  return POLICY_KEY_NAMES.every(key => {
    const [x, y] = [a.keys[key], b.keys[key]];
    const { kind, strict, isPermission } = keyRow(key);
    // Of a permission only who says no forbids: where nobody speaks another may allow.
    const isForbidden = y.value === false && (isPermission !== true || y.valueBy !== null);
    if (kind === 'flag') return !(x.value !== false && isForbidden);
    if (kind === 'set' || kind === 'folders')
      return (
        y.allowed === null ||
        (x.allowed?.is.every(word => y.allowed?.is.some(other => isBelow(other, word))) ?? false)
      );
    if (strict === 'less') return y.max === null || (x.max !== null && x.max.is <= y.max.is);
    if (strict === 'more') return y.min === null || (x.min !== null && x.min.is >= y.min.is);
    return true;
  });
}

describe('any files', () => {
  const files = fc.array(settings, { minLength: 1, maxLength: 4 });
  const named = (texts: readonly Settings[], order: readonly number[]): Record<string, string> =>
    Object.fromEntries(order.map((at, name) => [`managed/${name}.json`, policyText(texts[at] ?? {})]));
  const amounts = (policy: Policy): unknown =>
    POLICY_KEY_NAMES.filter(key => keyRow(key).kind !== 'choice').map(key => {
      const { value, min, max, allowed } = policy.keys[key];
      return [key, value, min?.is, max?.is, allowed?.is.toSorted()];
    });

  it('together are no looser than each alone', () => {
    void fc.assert(
      fc.property(files, texts => {
        const together = policyOf(named(texts, [...texts.keys()]));
        return texts.every(text => isNoLooser(together, managed(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('one more loosens nothing', () => {
    void fc.assert(
      fc.property(files, settings, (texts, more) => {
        const before = policyOf(named(texts, [...texts.keys()]));
        return isNoLooser(policyOf(named([...texts, more], [...texts.keys(), texts.length])), before);
      }),
      { numRuns: 300 },
    );
  });

  it('mean the same in any order', () => {
    void fc.assert(
      fc.property(files, texts => {
        const order = [...texts.keys()];
        expect(amounts(policyOf(named(texts, order.toReversed())))).toEqual(
          amounts(policyOf(named(texts, order))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('set no value outside their own bounds', () => {
    void fc.assert(
      fc.property(files, fc.integer({ min: 1, max: 100 }), (texts, gib) => {
        const user = {
          'memory.host.reserve': gib * GIB,
          'memory.host.budget': gib * GIB,
          'memory.vm.max': gib * GIB,
        };
        const { keys } = policyOf(named(texts, [...texts.keys()]), user);
        for (const key of Object.keys(user) as (keyof typeof user)[]) {
          const { value, min, max } = keys[key];
          expect(value).toBeLessThanOrEqual(max?.is ?? Number.MAX_SAFE_INTEGER);
          expect(value).toBeGreaterThanOrEqual(min?.is ?? 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('the comparison above tells looser from stricter', () => {
    expect(isNoLooser(managed({}), managed({ 'vm.delete': { value: false } }))).toBe(false);
    expect(isNoLooser(managed({ 'vm.running': { max: 4 } }), managed({ 'vm.running': { max: 3 } }))).toBe(
      false,
    );
    expect(isNoLooser(managed({}), managed({ 'vm.sources': { allowed: [] } }))).toBe(false);
  });
});

it('the example of every key in the documentation is a rule of that key, and binds', () => {
  for (const key of POLICY_KEY_NAMES) {
    const { valueBy, min, max, allowed } = managed({ [key]: exampleRule(keyRow(key)) }).keys[key];
    expect([key, [valueBy, min, max, allowed].some(part => part !== null)]).toEqual([key, true]);
  }
});
