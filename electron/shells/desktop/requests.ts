// Requests to the window from outside: links (ebb://…), disk files opened from a file manager, menu entries.
// Pure. Anybody may have written the words, so a link only goes to a place and does nothing there.
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
    // A file: link to another machine.
    return null;
  }
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(word)) return null;
  return { kind: 'file', path: isAbsolute(word) ? word : resolve(folder, word) };
}

export const requestOf = (word: string, folder: string): Request | null =>
  /^ebb:/.test(word) ? linkRequest(word) : fileRequest(word, folder);

/** The last request on a command line; null: there is none. */
export const requestFrom = (argv: readonly string[], folder: string): Request | null =>
  argv.reduce<Request | null>((found, word) => requestOf(word, folder) ?? found, null);
