// The documents as their readers have them, and the commands in them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../build/layers.ts';

export const HELP_PAGES = ['guide', 'it', 'data'] as const;
export type HelpPage = (typeof HELP_PAGES)[number];

export const helpText = (page: HelpPage, language: 'en' | 'zh-CN'): string =>
  readFileSync(join(repositoryRoot, 'renderer', 'help', `${page}.${language}.md`), 'utf8');

/** Blocks fenced as commands, in order. */
export const commandBlocks = (text: string): string[] =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(match => match[1] ?? '');

/** Commands between backticks in running text: `ebb token create ana --for 30d`. */
export const inlineCommands = (text: string): string[] =>
  [...text.replace(/^```.*?^```$/gms, '').matchAll(/`((?:npx )?(?:ebb|npm)(?: [^`]+)?)`/g)].map(
    match => match[1] ?? '',
  );
