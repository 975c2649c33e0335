import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thirdPartyNotices } from '../../../build/collect-licences.ts';
import { readModules, repositoryRoot } from '../../../build/layers.ts';
import { architectureFile, RULES, rulesTable, withRules } from '../../../build/rules.ts';
import { parseInline, parseMarkdown } from '../../../renderer/help/markdown.ts';
import { licencePage } from '../../../renderer/help/pages.ts';
import { commandBlocks, HELP_PAGES, helpText, inlineCommands } from '../../support/documents.ts';

const architecture = readFileSync(architectureFile, 'utf8');

describe('the help', () => {
  it.each(HELP_PAGES)('%s: has the same form and the same commands in both languages', page => {
    const [en, zh] = [helpText(page, 'en'), helpText(page, 'zh-CN')];
    expect(commandBlocks(en).length).toBeGreaterThan(1);
    expect(commandBlocks(zh)).toEqual(commandBlocks(en));
    expect(inlineCommands(zh).sort()).toEqual(inlineCommands(en).sort());
    const form = (text: string) =>
      parseMarkdown(text).map(block => ({
        kind: block.kind,
        size: block.kind === 'list' ? block.items.length : block.kind === 'table' ? block.rows.length : 0,
      }));
    expect(form(zh)).toEqual(form(en));
    for (const block of parseMarkdown(zh))
      if (block.kind === 'heading') expect(block.text).toMatch(/[\u4e00-\u9fff]/);
  });

  it('uses no Markdown that would be shown as it is written', () => {
    const texts = [
      ...HELP_PAGES.flatMap(page => [helpText(page, 'en'), helpText(page, 'zh-CN')]),
      architecture,
    ];
    const words = texts.flatMap(parseMarkdown).flatMap(block => {
      if (block.kind === 'paragraph') return block.inlines;
      if (block.kind === 'list') return block.items.flat();
      return block.kind === 'table' ? block.rows.flat(2) : [];
    });
    expect(words.length).toBeGreaterThan(100);
    const left = words.filter(({ kind, text }) => kind === 'text' && /[*`#]|\]\(|https?:/.test(text));
    expect(left).toEqual([]);
  });

  it('reads blocks and what is inside them', () => {
    const text =
      '# A\n\nOne **two** `three`\nfour [five](#/help/it).\n\n- a\n- b\n  c\n\n```sh\n# no heading\n\nx\n```\n\n| H | I |\n| --- | --- |\n| 1 | `2` |\n<!-- x -->\n';
    expect(parseMarkdown(text).map(({ kind }) => kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'code',
      'table',
    ]);
    const [, paragraph, list, code, table] = parseMarkdown(text);
    expect(paragraph).toMatchObject({
      inlines: [
        { kind: 'text', text: 'One ' },
        { kind: 'strong', text: 'two' },
        { kind: 'text', text: ' ' },
        { kind: 'code', text: 'three' },
        { kind: 'text', text: ' four ' },
        { kind: 'link', text: 'five', hash: '#/help/it' },
        { kind: 'text', text: '.' },
      ],
    });
    expect(list).toMatchObject({ items: [[{ text: 'a' }], [{ text: 'b c' }]] });
    expect(code).toMatchObject({ text: '# no heading\n\nx' });
    expect(table?.kind === 'table' ? table.rows[1] : null).toMatchObject([
      [{ text: '1' }],
      [{ kind: 'code' }],
    ]);
  });

  it('makes no link of what leads out of the window', () => {
    expect(parseInline('[x](https://example.com) [y](javascript:alert)').map(({ kind }) => kind)).toEqual([
      'text',
    ]);
  });
});

describe('the licences', () => {
  it('are a heading for each package, and its whole text', () => {
    const blocks = parseMarkdown(licencePage(thirdPartyNotices()));
    const headings = blocks.flatMap(block => (block.kind === 'heading' ? [block.text] : []));
    expect(headings.length).toBeGreaterThan(20);
    expect(headings.some(text => /^react-dom \d/.test(text))).toBe(true);
    expect(blocks.filter(({ kind }) => kind === 'code')).toHaveLength(headings.length);
    expect(blocks).toHaveLength(1 + 2 * headings.length);
  });
});

describe('the architecture', () => {
  it('has the table of rules as the code has them now: else node build/rules.ts', () => {
    expect(withRules(architecture)).toBe(architecture);
  });

  it('knows every rule that code cites, and each is cited and tested somewhere', () => {
    const source = readModules(repositoryRoot, ['electron', 'shared', 'renderer']);
    const cited = source.flatMap(({ text }) =>
      [...text.matchAll(/\b([TML]\d{1,2})\b(?=: )/g)].map(match => match[1] ?? ''),
    );
    expect(new Set(cited).size).toBeGreaterThan(20);
    expect([...new Set(cited)].filter(rule => RULES[rule] === undefined)).toEqual([]);
    const empty = architecture.split('\n').filter(line => /^\| [TML]\d/.test(line) && /\|\s+\|/.test(line));
    expect(empty).toEqual([]);
  });

  it('tells a rule that nobody tests', () => {
    expect(rulesTable([{ path: 'a.ts', text: '// T1: x' }], [])).toContain('| `a.ts` |  |');
  });

  it('names only files that are there', () => {
    const named = [...architecture.matchAll(/`((?:electron|shared|renderer|test|build)\/[\w./-]+)`/g)].map(
      match => match[1] ?? '',
    );
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter(path => !existsSync(join(repositoryRoot, path)))).toEqual([]);
  });
});
