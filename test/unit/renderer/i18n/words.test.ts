// Nothing a person reads stands in a component; every language says everything; and what is longer in another language
// still says its figures.
import { describe, expect, it } from 'vitest';
import { readModules, repositoryRoot } from '../../../../build/layers.ts';
import { en } from '../../../../renderer/i18n/en.ts';
import { zhCn } from '../../../../renderer/i18n/zh-cn.ts';
import { PSEUDO_MARKS, pseudo } from '../../../support/pseudo-locale.ts';

type Leaf = string | ((...given: never[]) => unknown);
/** By its path: every sentence of a dictionary. */
function leaves(dictionary: object, path = ''): Map<string, Leaf> {
  const found = new Map<string, Leaf>();
  for (const [key, value] of Object.entries(dictionary)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string' || typeof value === 'function') found.set(at, value);
    else if (value !== null && typeof value === 'object')
      for (const [inner, leaf] of leaves(value, at)) found.set(inner, leaf);
  }
  return found;
}
/** The words for errors are of other forms on purpose: spoken.test.ts has them. */
const isOwnForm = (path: string): boolean => path.startsWith('errors.') || path === 'spoken';
/** Names of formats and systems are nobody's language. */
const isName = (path: string): boolean => path.includes('.formats.') || path.startsWith('os.');
const english = [...leaves(en)].filter(([path]) => !isOwnForm(path));
const chinese = leaves(zhCn);

// What a component may write: figures, signs, and the names of keys and units.
const SIGNS = /^[\s\d\p{P}\p{S}]*$/u;
const MARKS = ['Ctrl K', 'Ctrl Z', 'MiB', 'GiB'];

/** Text between tags, and words in the attributes that people read or hear. */
function wordsIn(source: string): string[] {
  const code = source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '');
  const between = [
    ...code.matchAll(/<\/?[A-Za-z][^<>{}=]*(?:=(?:"[^"]*"|\{[^{}]*\})[^<>{}=]*)*>([^<>{}()=;]+)(?=<|\{)/g),
  ];
  const attributes = [
    ...code.matchAll(/\b(?:title|label|placeholder|alt|aria-label|aria-valuetext)="([^"]*)"/g),
  ];
  // A comma first: the brackets of a type, in a list of parameters.
  return [...between, ...attributes]
    .map(match => (match[1] ?? '').trim())
    .filter(text => !SIGNS.test(text) && !MARKS.includes(text) && !text.startsWith(','));
}

describe('words', () => {
  it('are seen by what looks for them', () => {
    expect(wordsIn('<p className="x">Hello there</p>')).toEqual(['Hello there']);
    expect(wordsIn('<b>\n  Start\n  {name}</b>')).toEqual(['Start']);
    expect(wordsIn('<input placeholder="Type here" />')).toEqual(['Type here']);
    expect(wordsIn('<i>{text.vm.start}</i> <b>·</b>')).toEqual([]);
  });

  it('stand in the dictionaries, not in components', () => {
    const components = readModules(repositoryRoot, ['renderer']).filter(({ path }) => path.endsWith('.tsx'));
    expect(components.length).toBeGreaterThan(50);
    const found = components.flatMap(({ path, text }) => wordsIn(text).map(words => `${path}: ${words}`));
    expect(found).toEqual([]);
  });

  it('are there in both languages, in the same form', () => {
    expect(english.length).toBeGreaterThan(300);
    const lacking = english
      .filter(([path, leaf]) => typeof chinese.get(path) !== typeof leaf)
      .map(([path]) => path);
    expect(lacking).toEqual([]);
  });

  it('are translated: no Chinese sentence is the English one', () => {
    const same = english
      .filter(
        ([path, leaf]) =>
          !isName(path) && typeof leaf === 'string' && / /.test(leaf) && chinese.get(path) === leaf,
      )
      .map(([path]) => path);
    expect(same).toEqual([]);
  });

  it('say what they are given, in both languages', () => {
    // Of those that take strings alone: a mark goes in, and comes out again.
    for (const [path, leaf] of english) {
      if (typeof leaf !== 'function') continue;
      const marks = Array.from({ length: leaf.length }, (_, index) => `⟦${index}⟧`);
      const said = (of: Leaf | undefined): string | null => {
        try {
          const answer = typeof of === 'function' ? (of as (...given: string[]) => unknown)(...marks) : null;
          return typeof answer === 'string' ? answer : null;
        } catch {
          return null;
        }
      };
      const [ours, theirs] = [said(leaf), said(chinese.get(path))];
      if (ours === null || theirs === null) continue;
      for (const mark of marks)
        if (ours.includes(mark)) expect(`${path}: ${theirs.includes(mark)}`).toBe(`${path}: true`);
    }
  });
});

describe('the pseudo-locale', () => {
  it('makes every sentence longer, marks both its ends, and keeps what it is given', () => {
    const strange = pseudo(en);
    const [open, close] = PSEUDO_MARKS;
    expect(strange.vm.start.startsWith(open) && strange.vm.start.endsWith(close)).toBe(true);
    expect(strange.vm.start.length).toBeGreaterThan(en.vm.start.length * 1.3);
    expect(strange.palette.goTo('dev')).toContain('dev');
    for (const [path, leaf] of leaves(strange))
      if (typeof leaf === 'string' && leaf !== '' && !isOwnForm(path))
        expect(`${path} ${leaf.startsWith(open)}`).toBe(`${path} true`);
  });
});
