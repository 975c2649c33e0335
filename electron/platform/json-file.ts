// Small JSON files that must survive a crash whole: written beside, synced, renamed over, folder synced.
import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hosted, hostFault } from './host-fault.ts';

/** Undefined where the file is missing or is not JSON; the caller's schema decides about the rest. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The same of a plain file of at most so many bytes: whoever wrote it may be a stranger. */
export function readSmallJson(path: string, bytesMax: number): unknown {
  try {
    const stat = lstatSync(path);
    return stat.isFile() && stat.size <= bytesMax ? readJson(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The end of a file of any length, or all that a pipe says; empty where it cannot be read. */
export function readText(path: string, lastBytes = 64 * 1024): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      if (size <= lastBytes) return readFileSync(fd, 'utf8').slice(-lastBytes);
      const bytes = Buffer.alloc(lastBytes);
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, lastBytes, size - lastBytes));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function writeJson(path: string, value: unknown): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const beside = `${path}.new`;
    const fd = openSync(beside, 'w', 0o600);
    writeFileSync(fd, JSON.stringify(value));
    fsyncSync(fd);
    closeSync(fd);
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw hostFault('writing', path, cause);
  }
}

/** Durable: the file has its new name also after a crash. */
export function renameDurably(from: string, to: string): void {
  try {
    renameSync(from, to);
    syncFolder(dirname(to));
  } catch (cause) {
    throw hostFault('naming', to, cause);
  }
}

/** A reader sees the hint whole or not at all. It is not durable, and a failure to write it is swallowed. */
export const writeHint = (path: string, value: unknown): Promise<void> =>
  writeTextHint(path, JSON.stringify(value));

export async function writeTextHint(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch {
    await rm(`${path}.new`, { force: true }).catch(() => undefined);
  }
}

/** Not by `rmSync`, which names only some of the reasons why a file cannot be removed. */
export const removeFile = (path: string): void =>
  hosted('removing', path, () => {
    try {
      unlinkSync(path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    }
  });
/** It is gone also after a power cut. */
export function removeDurably(path: string): void {
  removeFile(path);
  hosted('removing', path, () => syncFolder(dirname(path)));
}
export const removeTree = (path: string): void =>
  hosted('removing', path, () => rmSync(path, { force: true, recursive: true }));
export const makePrivateFolder = (path: string): void =>
  void hosted('making', path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
