// Policy files as IT writes them: what is understood, and what is said, with its line, of what is not.
import { describe, expect, it } from 'vitest';
import { readPolicyFile } from '../../../shared/policy/file.ts';
import { policyText } from '../../support/policies.ts';

const read = (settings: object) => readPolicyFile(policyText(settings as never), 'managed');
const said = (text: string): string[] =>
  readPolicyFile(text, 'managed').problems.map(({ line, severity, what }) => `${line} ${severity} ${what}`);

describe('a file', () => {
  it('says whose it is and its rules, with their lines', () => {
    const text = `{
      "policyVersion": 1, "organization": "Lab IT", "contact": "it@example.edu",
      "settings": {
        "vm.running": { "max": 3 },
        "memory.vm.max": { "max": "1.5GiB", "reason": "small laptops" }
      }
    }`;
    const { file, problems } = readPolicyFile(text, 'managed');
    expect(problems).toEqual([]);
    expect(file).toMatchObject({ organization: 'Lab IT', contact: 'it@example.edu' });
    expect(file?.rules).toMatchObject([
      { key: 'vm.running', line: 4, max: 3 },
      { key: 'memory.vm.max', line: 5, max: 1536 * 1024, reason: 'small laptops' },
    ]);
  });

  it.each([
    ['{\n "policyVersion": 1,\n "settings": {', /^3 error It is not JSON/],
    ['{ "policyVersion": 2 }', /^1 error policyVersion/],
    ['[]', /^1 error The file/],
    ['{}', /^1 error policyVersion/],
    [`${'['.repeat(100_000)}`, /^0 error It is nested deeper than 6/],
    [`{"policyVersion": 1}${' '.repeat(300_000)}`, /^0 error It is larger than 256 KiB/],
    [
      '{"policyVersion": 1, "settings": {"vm.count": {"max": 1},\n"vm.count": {"max": 9}}}',
      /^2 error "vm.count" stands there twice/,
    ],
    [
      '{"policyVersion": 1, "settings": {"vm.count": {"max": 1,\n"max": 9}}}',
      /^2 error "max" stands there twice/,
    ],
    ['{"policyVersion": 1, "organization": 3}', /^1 error organization/],
    ['{"policyVersion": 1,\n"settngs": {}}', /^2 warning "settngs" means nothing here/],
  ])('%#: says where it is wrong', (text, expected) => {
    expect(said(text)[0]).toMatch(expected);
  });

  it('with a byte order mark, a comment or a lone surrogate is refused or read, never half', () => {
    expect(readPolicyFile(`\uFEFF${policyText({})}`, 'managed').file).toBeNull();
    expect(readPolicyFile(`// no\n${policyText({})}`, 'managed').file).toBeNull();
    expect(readPolicyFile(policyText({}, { organization: '\\ud800' }), 'managed').file).not.toBeNull();
  });
});

describe('a rule', () => {
  it.each([
    ['vm.delete', { value: 'no' }, 'true or false'],
    ['vm.running', { max: '3' }, 'a whole number from 0 to 200'],
    ['vm.running', { max: 3.5 }, 'a whole number'],
    ['vm.running', { max: 201 }, 'from 0 to 200'],
    ['vm.running', { min: 1 }, 'it takes max'],
    ['vm.running', {}, 'it says none of max'],
    ['vm.running', [3], 'expected {"max"'],
    ['memory.vm.max', { max: '6' }, 'an amount like'],
    ['memory.vm.max', { max: '-6GiB' }, 'an amount like'],
    ['memory.vm.max', { max: '1MiB' }, 'of 64 MiB or more'],
    ['memory.vm.max', { max: '99999999999GiB' }, 'an amount like'],
    ['memory.vm.min', { min: '2GiB', max: '1GiB' }, 'min is above max'],
    ['memory.mode', { value: 'greed' }, 'one of need, ratio'],
    ['vm.sources', { allowed: 'iso' }, 'a list of'],
    ['vm.sources', { allowed: ['usb'] }, 'a list of'],
    ['import.folders', { allowed: ['images'] }, 'absolute paths'],
    ['import.folders', { allowed: ['/srv/../etc'] }, 'absolute paths'],
    ['vm.delete', { value: false, locked: true }, 'not "locked"'],
    ['vm.delete', { value: false, reason: 'x'.repeat(201) }, 'at most 200'],
  ])('%s %j is refused: %s', (key, rule, expected) => {
    const { file, problems } = read({ [key]: rule, 'vm.clone': { value: false } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'error', line: 4 });
    expect(problems[0]?.what).toContain(expected);
    // What can be understood is.
    expect(file?.rules).toMatchObject([{ key: 'vm.clone' }]);
  });

  it.each(['updates.mode', 'constructor', 'toString', 'hasOwnProperty'])(
    'of a key nobody knows (%s) is a warning',
    key => {
      const text = `{"policyVersion": 1, "settings": {"${key}": {"value": false}, "vm.clone": {"value": false}}}`;
      const { file, problems } = readPolicyFile(text, 'managed');
      expect(problems).toMatchObject([{ severity: 'warning' }]);
      expect(file?.rules).toHaveLength(1);
    },
  );

  it.each(['1KiB', '512MiB', '512M', '1.5 GiB', '2T'])('takes an amount as %s', amount => {
    expect(read({ 'memory.host.reserve': { min: amount } }).problems).toEqual([]);
  });
});
