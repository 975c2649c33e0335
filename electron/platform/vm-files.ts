// File work of control outside the VM disks: VM folders, trash, chosen files, the sample guest's cache.
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { hosted, hostFault } from './host-fault.ts';
import { makePrivateFolder, removeTree, syncFolder } from './json-file.ts';

/** The real path, name, size and time of the last change of a plain file we may read; null otherwise. */
export function lookAtFile(
  path: string,
): { path: string; name: string; bytes: number; modifiedMs: number } | null {
  try {
    const real = realpathSync(path);
    const stat = statSync(real);
    accessSync(real, constants.R_OK);
    return stat.isFile()
      ? { path: real, name: basename(path), bytes: stat.size, modifiedMs: stat.mtimeMs }
      : null;
  } catch {
    return null;
  }
}

/** `length` bytes at `offset`; a negative offset counts from the end. Past the end zeros. */
export const readBytes = (path: string, offset: number, length: number): Uint8Array =>
  hosted('reading', path, () => {
    const fd = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(length);
      readSync(fd, bytes, 0, length, offset < 0 ? statSync(path).size + offset : offset);
      return bytes;
    } finally {
      closeSync(fd);
    }
  });

export const writeBytes = (path: string, bytes: Uint8Array): void =>
  hosted('writing', path, () => writeFileSync(path, bytes, { mode: 0o600 }));
export const fileExists = (path: string): boolean => existsSync(path);
/** True also for a dangling link: whoever writes to it writes to where it points. */
export const isNameTaken = (path: string): boolean => {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
};
/** Null: there is no such file. */
export const bytesOf = (path: string): number | null =>
  hosted('looking for', path, () => statSync(path, { throwIfNoEntry: false }))?.size ?? null;

/** Copies a file or a small folder, durably; under its name it is whole or not there. Throws Fault. */
export function copyDurably(from: string, to: string): void {
  const beside = `${to}.new`;
  try {
    rmSync(beside, { recursive: true, force: true });
    copySynced(from, beside);
    if (statSync(from).isDirectory()) rmSync(to, { recursive: true, force: true });
    renameSync(beside, to);
    syncFolder(dirname(to));
  } catch (cause) {
    throw hostFault('writing', to, cause);
  }
}

function copySynced(from: string, to: string): void {
  if (!statSync(from).isDirectory())
    return writeFileSync(to, readFileSync(from), { mode: 0o600, flush: true });
  mkdirSync(to, { mode: 0o700 });
  for (const name of readdirSync(from)) copySynced(join(from, name), join(to, name));
  syncFolder(to);
}

export function freeBytesAt(path: string): number {
  const stats = hosted('measuring the disk of', path, () => statfsSync(path));
  return stats.bavail * stats.bsize;
}

export function canWriteAt(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const PIECE_BYTES = 8 * 2 ** 20;
/** Ends the name of a copy that is not whole yet. */
const UNFINISHED = '.new';

/**
 * Copies by reflink where the file system can (T16), which is instant; else piece by piece, each after
 * `piece` has resolved. Durable, and whole or not at all.
 */
export async function copyInto(
  from: string,
  folder: string,
  name: string,
  piece: (doneBytes: number, totalBytes: number) => Promise<void>,
): Promise<void> {
  makePrivateFolder(folder);
  const to = join(folder, name);
  const beside = `${to}${UNFINISHED}`;
  try {
    await copyFile(from, beside, constants.COPYFILE_FICLONE_FORCE).catch(() =>
      copyPieces(from, beside, piece),
    );
    await moveDurably(beside, to);
  } catch (cause) {
    await rm(beside, { force: true });
    throw cause;
  }
}

async function copyPieces(
  from: string,
  to: string,
  piece: (doneBytes: number, totalBytes: number) => Promise<void>,
): Promise<void> {
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw hostFault('copying', basename(to), cause);
    });
  await using source = await guarded(open(from, 'r'));
  await using target = await guarded(open(to, 'w', 0o600));
  const { size } = await guarded(source.stat());
  const bytes = new Uint8Array(PIECE_BYTES);
  for (let at = 0; ; ) {
    await piece(at, size);
    const { bytesRead } = await guarded(source.read(bytes, 0, PIECE_BYTES, at));
    if (bytesRead === 0) return;
    await guarded(target.writeFile(bytes.subarray(0, bytesRead)));
    at += bytesRead;
  }
}

/** Whether two small files, or folders of them, have equal names and bytes; true also if neither exists. */
export const isSame = (one: string, other: string): Promise<boolean> =>
  areSame(one, other).catch((cause: unknown) => {
    throw hostFault('comparing', other, cause);
  });

async function areSame(one: string, other: string): Promise<boolean> {
  const [a, b] = [one, other].map(path => statSync(path, { throwIfNoEntry: false }));
  if (a === undefined || b === undefined) return a === b;
  if (a.isDirectory() !== b.isDirectory()) return false;
  if (!a.isDirectory()) {
    if (a.size !== b.size) return false;
    const [bytes, others] = await Promise.all([readFile(one), readFile(other)]);
    return bytes.equals(others);
  }
  const names = readdirSync(one).sort();
  if (names.join('\0') !== readdirSync(other).sort().join('\0')) return false;
  for (const name of names) if (!(await areSame(join(one, name), join(other, name)))) return false;
  return true;
}

/** Empty: there is no such folder. */
export const listFolder = (path: string): string[] =>
  existsSync(path) ? hosted('listing', path, () => readdirSync(path)) : [];

/** Another name for a file nobody writes to any more; a copy where the file system has no second names. */
export function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    hosted('copying to', to, () =>
      copyFileSync(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL),
    );
  }
}

export const readWhole = (path: string): Uint8Array => hosted('reading', path, () => readFileSync(path));

export const removeFolder = removeTree;

export function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // The folder is not empty, and stays.
  }
}

/** T8: files of disks go off the control path. */
export const removeLarge = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
    throw hostFault('removing', path, cause);
  });

/** Durable: even after a power cut the file is at its new place and at no other. Throws Fault. */
export function moveInto(folder: string, from: string, name: string): void {
  if (!existsSync(from)) return;
  const to = join(folder, name);
  try {
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder));
    renameSync(from, to);
    for (const path of [folder, dirname(from)]) syncFolder(path);
  } catch (cause) {
    throw hostFault('moving', to, cause);
  }
}

/** Durable: resolves when the file's content and its new name are on the disk. */
export async function moveDurably(from: string, to: string): Promise<void> {
  try {
    for (const path of [from, dirname(to)]) {
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      if (path === from) await rename(from, to);
    }
  } catch (cause) {
    throw hostFault('writing', to, cause);
  }
}

/** The part of `path` right below `folder`, when it is below it. */
export function childBelow(folder: string, path: string): string | null {
  const real = existsSync(folder) ? realpathSync(folder) : folder;
  return path.startsWith(`${real}${sep}`) ? (path.slice(real.length + 1).split(sep)[0] ?? null) : null;
}

/** The sample guest, where build/guest assembles it, outside the repository; null: it is not there. */
export function sampleGuest(): { kernel: string; initrd: string } | null {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'ebb', 'guest', 'current');
  const found = { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd.gz') };
  return existsSync(found.kernel) && existsSync(found.initrd) ? found : null;
}

/** Writes a new file (0600), never over an existing one. Throws Fault. */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    throw hostFault('writing', path, cause);
  }
}
