// Files that only grow, in a private folder: owned by us, no links, no second names. Appends are durable.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../shared/result.ts';
import { hosted, hostFault } from './host-fault.ts';
import { syncFolder } from './json-file.ts';

/** One flat folder of files that only grow. */
export interface AppendFolder {
  list(): string[];
  /** Throws Fault when the file is somebody else's, a link, or longer than any file of ours. */
  read(name: string): string;
  /** Appends whole and durably, or throws Fault. Makes the file where it is missing. */
  append(name: string, text: string): void;
  remove(name: string): void;
}

const isOurs = (stat: Stats): boolean =>
  process.platform === 'win32' || (stat.uid === userInfo().uid && (stat.mode & 0o077) === 0);

const strange = (path: string, why: string): Fault =>
  new Fault({
    code: 'host.permission',
    what: `${path} ${why}.`,
    safe: 'It was neither read nor written.',
    todo: 'Look who made it so; then move it away, and Ebb makes its own.',
  });

function checkFolder(path: string): void {
  const stat = hosted('making', path, () => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return found;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return lstatSync(path);
  });
  if (!stat.isDirectory()) throw strange(path, 'is not a folder, or is a link to one');
  if (!isOurs(stat)) throw strange(path, 'is open to others or is not yours');
}

function checkFile(path: string, stat: Stats, bytesMax: number): void {
  if (!stat.isFile()) throw strange(path, 'is not a plain file');
  if (!isOurs(stat)) throw strange(path, 'is open to others or is not yours');
  if (stat.nlink !== 1) throw strange(path, 'has another name besides, or was removed');
  if (stat.size > bytesMax) throw strange(path, 'is longer than Ebb writes it');
}

/** O_NOFOLLOW: a link in the file's place is an error. O_NONBLOCK: so is a pipe without a reader. */
function withFile<T>(
  path: string,
  flags: number,
  bytesMax: number,
  work: (fd: number, size: number) => T,
): T {
  let fd: number;
  try {
    fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP') throw strange(path, 'is a link');
    throw hostFault('opening', path, cause);
  }
  try {
    const stat = fstatSync(fd);
    checkFile(path, stat, bytesMax);
    return work(fd, stat.size);
  } catch (cause) {
    throw cause instanceof Fault ? cause : hostFault('using', path, cause);
  } finally {
    closeSync(fd);
  }
}

/** `bytesMax`: the longest file Ebb makes here; a longer one is not ours. */
export function openAppendFolder(folder: string, bytesMax: number): AppendFolder {
  const pathOf = (name: string): string => join(folder, name);
  return {
    list: () => {
      checkFolder(folder);
      return hosted('listing', folder, () => readdirSync(folder));
    },
    read: name => withFile(pathOf(name), constants.O_RDONLY, bytesMax, fd => readFileSync(fd, 'utf8')),
    append: (name, text) => {
      checkFolder(folder);
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
      withFile(pathOf(name), flags, bytesMax, (fd, size) => {
        const bytes = Buffer.from(text, 'utf8');
        try {
          for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
          fdatasyncSync(fd);
        } catch (cause) {
          // Half a text would only be in the way. If it cannot be cut off, the audit ends it with a newline.
          tryTo(() => ftruncateSync(fd, size));
          throw cause;
        }
        // A new file survives a crash only if its name in the folder is durable too.
        if (size === 0) syncFolder(folder);
      });
    },
    remove: name =>
      hosted('removing', pathOf(name), () => {
        unlinkSync(pathOf(name));
        syncFolder(folder);
      }),
  };
}

function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // As it is.
  }
}
