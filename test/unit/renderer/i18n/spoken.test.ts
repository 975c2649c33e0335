// What the services really say, from the functions that say it, is whole in Chinese: no English is left in it but names
// and units.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModules, repositoryRoot } from '../../../../build/layers.ts';
import {
  doneSentence,
  eventText,
  hostStateSentence,
  keptSentence,
  planSentence,
  refusedSentence,
  selfDeflatedSentence,
  silentSentence,
  unnotedSentence,
} from '../../../../electron/control/memory/words.ts';
import { enErrors } from '../../../../renderer/i18n/en-errors.ts';
import { zhCnErrors } from '../../../../renderer/i18n/zh-cn-errors.ts';
import { zhCnSpoken } from '../../../../renderer/i18n/zh-cn-spoken.ts';
import { errorLine, errorWords } from '../../../../renderer/view/error-words.ts';
import { ERROR_CODES, type ErrorBody } from '../../../../shared/errors.ts';
import { GIB_KIB } from '../../../../shared/units.ts';

const NAMES = ['dev', 'mail 2.0', '中文机'];
const moves = NAMES.map((vmName, index) => ({
  vmName,
  fromKib: (index + 1) * GIB_KIB,
  toKib: index * GIB_KIB + 700_000,
}));
/** Latin words left once names and units are taken out. */
const left = (text: string): string[] =>
  [...NAMES, 'KiB', 'MiB', 'GiB', 'Ebb', 'QEMU']
    .reduce((rest, name) => rest.replaceAll(name, ''), zhCnSpoken(text))
    .match(/[A-Za-z]{2,}/g) ?? [];

const events = ['guest-up', 'paused', 'resumed', 'reset', 'suspended', 'crashed', 'stopped'] as const;
const causes = [
  ...events.map(event => `mail 2.0 ${eventText(event)}`),
  'dev started',
  'dev is about to start',
  'dev was found running',
  'dev can be balanced now',
  'dev could not start, 中文机 did not start',
  'What was free changed',
  'This computer woke up',
  'Ebb started',
];
const plans = [0, 0.4, 1].flatMap(compressionRatio =>
  [0, 5000].flatMap(shortfallKib =>
    (['demand', 'proportional'] as const).map(mode => ({ mode, compressionRatio, shortfallKib })),
  ),
);
const takings = [
  { belowTarget: [], takenKib: 0, givenTo: [] },
  { belowTarget: ['dev', 'mail 2.0'], takenKib: 70_000, givenTo: ['中文机'] },
  { belowTarget: ['dev'], takenKib: 70_000, givenTo: [] },
];

describe('the ledger in Chinese', () => {
  it('says every plan', () => {
    for (const cause of causes)
      for (const plan of plans)
        for (const taking of takings)
          for (const some of [[], moves.slice(0, 1), moves])
            expect(left(planSentence(cause, some, plan, taking))).toEqual([]);
  });

  it('says every result and every note', () => {
    const sentences = [
      ...[0, 900].flatMap(takenKib =>
        [null, 0, 900].map(returnedKib => doneSentence(moves, 3.25, { takenKib, returnedKib })),
      ),
      refusedSentence('mail 2.0', 1024, 900_000),
      selfDeflatedSentence('dev', 900_000),
      silentSentence('中文机'),
      keptSentence('mail 2.0', 300_000),
      unnotedSentence(12.4),
      ...(['ok', 'critical', 'emergency'] as const).flatMap(state =>
        [null, 0, 31].map(stalled => hostStateSentence(state, 300_000, stalled)),
      ),
    ];
    expect(sentences.flatMap(left)).toEqual([]);
  });

  it('keeps figures and names as they were', () => {
    const said = zhCnSpoken(
      planSentence(
        'dev started',
        moves,
        { mode: 'demand', compressionRatio: 0, shortfallKib: 0 },
        takings[0] as never,
      ),
    );
    expect(said).toBe(
      'dev 已启动：dev 1.0 GiB → 684 MiB，mail 2.0 2.0 GiB → 1.7 GiB，中文机 3.0 GiB → 2.7 GiB。',
    );
  });

  it('leaves what it does not know as it was', () => {
    expect(zhCnSpoken('Something new happened to dev.')).toBe('Something new happened to dev.');
    expect(zhCnSpoken('')).toBe('');
  });
});

describe('tasks in Chinese', () => {
  it('says every step that a service names', () => {
    const steps = readModules(repositoryRoot, ['electron/control']).flatMap(({ text }) =>
      [...text.matchAll(/\bstep\('([^']+)'/g)].map(match => match[1] ?? ''),
    );
    expect(steps.length).toBeGreaterThan(10);
    expect([...new Set(steps)].filter(step => zhCnSpoken(step) === step)).toEqual([]);
  });

  it('says every title', () => {
    const service = readFileSync(join(repositoryRoot, 'electron/control/service.ts'), 'utf8');
    const verbs = [...service.matchAll(/start(?:Long)?\([^']*?(?:'[\w.-]+', )?[^']*?'([A-Z][\w ]+)'/g)].map(
      match => match[1] ?? '',
    );
    expect(verbs).toContain('Create');
    expect(verbs.filter(verb => left(`${verb} dev`).length > 0)).toEqual([]);
  });
});

describe('errors', () => {
  const body = (code: ErrorBody['code'], more: Partial<ErrorBody> = {}): ErrorBody => ({
    code,
    what: 'It said no.',
    safe: 'All is safe.',
    todo: 'Try again.',
    ...more,
  });

  it.each(ERROR_CODES)('%s has words of its own in Chinese, with the original beside them', code => {
    const words = errorWords(body(code), zhCnErrors);
    expect(words.what).toMatch(/\p{Script=Han}/u);
    expect(words.safe).toMatch(/\p{Script=Han}/u);
    expect(words.original).toBe('It said no. All is safe. Try again.');
  });

  it('says the figures behind it where there are some', () => {
    expect(errorLine(body('disk.full', { data: { needs: 3 * 2 ** 30, free: 2 ** 29 } }), zhCnErrors)).toBe(
      '需要 3 GiB，磁盘只剩 512 MiB。 磁盘和所有时间点都没有受影响。',
    );
    expect(
      errorLine(body('vm.wrong-state', { data: { phase: 'paused', verb: 'start' } }), zhCnErrors),
    ).toContain('已暂停');
    expect(errorLine(body('disk.full', { data: { needs: 'much' } }), zhCnErrors)).toContain('磁盘空间不足');
  });

  it('are the service’s own words in English, but for a command line', () => {
    expect(errorWords(body('disk.full'), enErrors)).toEqual({
      what: 'It said no.',
      safe: 'All is safe.',
      todo: 'Try again.',
      original: null,
    });
    const lost = errorWords(
      body('timeline.missing', { todo: 'Have it made anew: ebb vm rescue VM' }),
      enErrors,
    );
    expect(lost.todo).toContain('History page');
  });

  it('never send a reader of the window to a command line', () => {
    const said = readModules(repositoryRoot, ['electron/control', 'electron/storage']).flatMap(({ text }) =>
      [...text.matchAll(/todo:\s*(['"`])([^\n]*?\bebb [a-z][^\n]*)\1/g)].map(match => match[2] ?? ''),
    );
    expect(said.length).toBeGreaterThan(2);
    for (const todo of said)
      for (const code of ERROR_CODES)
        expect(errorWords(body(code, { todo }), enErrors).todo).not.toMatch(/\bebb [a-z]/);
  });
});
