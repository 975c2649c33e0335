// Every command that a document names is one there is, with words it takes. What is fenced as commands in the help is
// also run, one after another, by test/guest/documents.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../build/layers.ts';
import { parse } from '../../../../electron/shells/cli/parse.ts';
import { findCommand, GROUPS } from '../../../../electron/shells/cli/table.ts';
import { commandBlocks, inlineCommands } from '../../../support/documents.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const help = readdirSync(join(repositoryRoot, 'renderer', 'help')).filter(name => name.endsWith('.md'));
const DOCUMENTS = [
  'README.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
  'electron/storage/SPEC.md',
  'electron/control/audit/SPEC.md',
  ...help.map(name => `renderer/help/${name}`),
];

/** The README's are indented, with a comment behind. */
const indented = (text: string): string[] =>
  [...text.matchAll(/^ {4}((?:npm|npx|ebb) .*)$/gm)].map(match => (match[1] ?? '').replace(/\s+#.*$/, ''));
const linesOf = (text: string): string[] =>
  commandBlocks(text)
    .join('')
    .split('\n')
    .filter(line => /^(?:npm|npx|ebb) /.test(line));
const named = DOCUMENTS.flatMap(path => {
  const text = read(path);
  const found = [...new Set([...indented(text), ...linesOf(text), ...inlineCommands(text)])];
  return found.map(command => [path, command] as const);
});

/** As a shell splits it; documents quote with single quotes alone. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? '');

const STANDS_FOR: Readonly<Record<string, string>> = { KEY: 'memory.vm.max' };

/** What is wrong with it; empty where nothing is. */
function complaint(words: readonly string[]): string {
  const name = words.join(' ');
  // Several commands, or one that is told of and not written out.
  if (name === '' || name.includes('…') || GROUPS.includes(name)) return '';
  const command = findCommand(words);
  if (command?.length === words.length) return '';
  if (/\|/.test(name)) return name.includes('completion') ? '' : 'not one command';
  try {
    parse(words.map(word => STANDS_FOR[word] ?? word));
    return '';
  } catch (cause) {
    return String(cause);
  }
}

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
function npmComplaint([verb = '', ...rest]: readonly string[]): string {
  const name = verb === 'run' ? rest.find(word => !word.startsWith('-')) : verb;
  return name !== undefined && Object.hasOwn(scripts, name) ? '' : `there is no script ${name}`;
}

describe('the commands that documents name', () => {
  it('are found', () => {
    expect(named.length).toBeGreaterThan(100);
    for (const path of ['README.md', 'renderer/help/it.zh-CN.md', 'renderer/help/policy.en.md'])
      expect(named.filter(([document]) => document === path).length, path).toBeGreaterThan(2);
  });

  it('are all there, with what they take', () => {
    const wrong = named.flatMap(([path, command]) => {
      const words = wordsOf(command.replace(/^npx /, ''));
      const said = words[0] === 'npm' ? npmComplaint(words.slice(1)) : complaint(words.slice(1));
      return said === '' ? [] : [`${path}: ${command}: ${said}`];
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ['a command that is not', ['vm', 'fly', 'demo']],
    ['an option that is not', ['vm', 'start', 'demo', '--fast']],
    ['a value that is not', ['point', 'export', 'a', 'b', '--format', 'zip']],
  ])('would be told of %s', (_, words) => expect(complaint(words)).not.toBe(''));
  it('would be told of a script that is not', () =>
    expect(npmComplaint(['run', '-s', 'fly'])).toContain('fly'));
});
