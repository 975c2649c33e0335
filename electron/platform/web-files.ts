// Reads the built page file by file: only regular files inside one folder, whatever the path says.
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

const MIME: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

export interface WebFile {
  readonly bytes: Uint8Array;
  readonly mime: string;
  /** The name holds a hash of the content, so browsers may cache it for ever. */
  readonly isImmutable: boolean;
}
export interface WebFiles {
  /** Null: the file is missing, of an unknown kind or outside the folder. `/` is index.html. */
  read(path: string): Promise<WebFile | null>;
}

/** The file name in a URL's path; null: it could lead out of the folder. */
export function webFileName(path: string): string | null {
  try {
    const name = decodeURIComponent(path).replace(/^\/+/, '') || 'index.html';
    const isPlain = name.split('/').every(part => /^[\w-][\w.-]*$/.test(part));
    return isPlain ? name : null;
  } catch {
    return null;
  }
}

export function openWebFiles(root: string): WebFiles {
  return {
    read: async path => {
      const name = webFileName(path);
      const mime = name === null ? undefined : MIME[extname(name)];
      if (name === null || mime === undefined) return null;
      try {
        const base = await realpath(root);
        const file = await realpath(join(base, name));
        // A link inside the folder must not lead out of it.
        if (!file.startsWith(base + sep)) return null;
        return { bytes: await readFile(file), mime, isImmutable: name.startsWith('assets/') };
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
        throw cause;
      }
    },
  };
}
