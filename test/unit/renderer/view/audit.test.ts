// A record of the audit in the words of both languages; none of what is audited is without words.
import { describe, expect, it } from 'vitest';
import { AUDITED } from '../../../../electron/control/audit/table.ts';
import { en } from '../../../../renderer/i18n/en.ts';
import { zhCn } from '../../../../renderer/i18n/zh-cn.ts';
import { actionWords, changeWords, outcomeLook } from '../../../../renderer/view/audit.ts';
import { auditOutcomeSchema, auditProblemSchema, auditProblemText } from '../../../../shared/audit.ts';

const { audit: words } = en.activity;
const GIB = 2 ** 20;

describe('what changed', () => {
  it.each([
    [{ maxKib: 2 * GIB, minKib: GIB }, { maxKib: 4 * GIB, minKib: GIB }, 'maximum 2 GiB → 4 GiB'],
    [{ capKib: 8 * GIB }, { capKib: null }, 'for each VM 8 GiB → none'],
    [{ capKib: null }, { capKib: 8 * GIB }, 'for each VM none → 8 GiB'],
    [{}, { point: 'before update', momentId: 'x', path: null }, 'point before update'],
    [
      { balanced: true, weight: 100 },
      { balanced: false, weight: 1000 },
      'balanced yes → no · weight 100 → 1,000',
    ],
    [{}, { unheardOf: 3 }, 'unheardOf 3'],
    [{}, { point: '' }, ''],
    [{ virtualBytes: 2 ** 30 }, { virtualBytes: 2 ** 31, diskId: 'x' }, 'size 1 GiB → 2 GiB'],
  ])('%j → %j: %s', (from, to, said) => {
    expect(changeWords({ from, to }, words, 'en')).toBe(said);
  });
});

it.each([
  ['English', en],
  ['Chinese', zhCn],
])('every action that is audited has words in %s', (_, { activity }) => {
  const audited = Object.entries(AUDITED)
    .filter(([, row]) => typeof row !== 'string')
    .map(([name]) => name);
  const byItself = [
    'memory.trial-ended',
    'moment.go-back-finished',
    'audit.damaged',
    'audit.adopted',
    'history.thinned',
    'trash.emptied',
    'audit.lost',
  ];
  const also = [...byItself, 'audit.several', 'headless.sign-in'];
  expect([...audited, ...also].filter(name => actionWords(name, activity.audit) === name)).toEqual([]);
  expect(Object.keys(activity.audit.actions).sort()).toEqual(Object.keys(words.actions).sort());
  expect(Object.keys(activity.audit.fields).sort()).toEqual(Object.keys(words.fields).sort());
});

it('every outcome and every problem can be said', () => {
  expect(new Set(auditOutcomeSchema.options.map(outcomeLook))).toEqual(
    new Set(['soft', 'chip bad', 'chip warn', 'chip calm']),
  );
  for (const kind of auditProblemSchema.shape.kind.options)
    expect(auditProblemText({ kind, fromSeq: 3, toSeq: 5, expected: 'a'.repeat(64), found: '4' })).toMatch(
      /^Chain|^Nobody/,
    );
});
