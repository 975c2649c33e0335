// What the world outside asks of the window: links (ebb://…), disk files opened from a file manager, menu entries. Pure
// reading of words that anybody may have written: a link goes to a place and does nothing there.
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Request =
  | { readonly kind: 'place'; readonly hash: string }
  | { readonly kind: 'dialog'; readonly dialog: 'create' | 'doctor' | 'settings' }
  | { readonly kind: 'file'; readonly path: string };

const VM_LINK = /^ebb:\/\/vm\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/([a-z]{1,20}))?\/?$/;
const LINKS: Readonly<Record<string, Request>> = {
  'ebb://overview': { kind: 'place', hash: '#/' },
  'ebb://help': { kind: 'place', hash: '#/help' },
  'ebb://new': { kind: 'dialog', dialog: 'create' },
  'ebb://doctor': { kind: 'dialog', dialog: 'doctor' },
};

function linkRequest(link: string): Request | null {
  const vm = VM_LINK.exec(link);
  if (vm !== null) return { kind: 'place', hash: `#/vm/${vm[1]}/${vm[2] ?? 'summary'}` };
  const name = link.replace(/\/$/, '');
  return Object.hasOwn(LINKS, name) ? (LINKS[name] ?? null) : null;
}

function fileRequest(word: string, folder: string): Request | null {
  if (!/\.vhd$/i.test(word) || word.startsWith('-')) return null;
  try {
    if (word.startsWith('file:')) return { kind: 'file', path: fileURLToPath(word) };
  } catch {
    // A link to another machine's file.
    return null;
  }
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(word)) return null;
  return { kind: 'file', path: isAbsolute(word) ? word : resolve(folder, word) };
}

export const requestOf = (word: string, folder: string): Request | null =>
  /^ebb:/.test(word) ? linkRequest(word) : fileRequest(word, folder);

/** Of a command line; the last that is one. */
export const requestFrom = (argv: readonly string[], folder: string): Request | null =>
  argv.reduce<Request | null>((found, word) => requestOf(word, folder) ?? found, null);
