// Reads policy files, but only those that nobody but an administrator of this computer can have written. Each
// is opened once, then checked and read through that descriptor: nothing can be put in its place in between.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { FILE_BYTES_MAX } from '../../shared/policy/file.ts';

const FILES_MAX = 64;

/** Where IT puts policy files on each OS. Never from the environment: the restrained user sets that. */
export function systemPolicyFolder(os: string = process.platform): string {
  if (os === 'darwin') return '/Library/Application Support/ebb/policy';
  return os === 'win32' ? 'C:\\ProgramData\\ebb\\policy' : '/etc/ebb/policy';
}

export interface FoundFile {
  readonly path: string;
  /** Null: `problem` says why the file cannot be trusted or read. */
  readonly text: string | null;
  readonly problem: string;
}

export interface FoundFolder {
  readonly path: string;
  readonly files: readonly FoundFile[];
  /** Why nothing in the folder was read; empty: it was read, or it does not exist. */
  readonly problem: string;
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? String(cause);
const hasOwners = process.platform !== 'win32';

/** How somebody other than `owners` could have changed it, in words; null: nobody could. */
function stranger(stat: Stats, owners: readonly number[]): string | null {
  if (!hasOwners) return null;
  if (!owners.includes(stat.uid)) return `belongs to user ${stat.uid}, not to root`;
  // In a sticky folder, like /tmp, nobody can remove or rename another user's files.
  const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
  if ((stat.mode & 0o022) !== 0 && !isSticky) return 'can be written by others';
  return null;
}

/**
 * Why the folder, or one above it, is not to be trusted; null: all are. Whoever can rename one of them can
 * put another in its place.
 */
function untrusted(folder: string, owners: readonly number[]): string | null {
  for (let path = folder; ; path = dirname(path)) {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return `${path} is a link`;
    if (!stat.isDirectory()) return `${path} is not a folder`;
    const who = stranger(stat, owners);
    if (who !== null) return `${path} ${who}`;
    if (dirname(path) === path) return null;
  }
}

export function readPolicyFolder(path: string, owners: readonly number[] = [0]): FoundFolder {
  if (!isAbsolute(path)) return { path, files: [], problem: 'its path is not absolute' };
  try {
    const problem = untrusted(path, owners);
    if (problem !== null) return { path, files: [], problem };
    const names = readdirSync(path)
      .filter(name => name.endsWith('.json') && !name.startsWith('.'))
      .sort();
    if (names.length > FILES_MAX) return { path, files: [], problem: `it has more than ${FILES_MAX} files` };
    return { path, files: names.map(name => readPolicyPath(join(path, name), owners)), problem: '' };
  } catch (cause) {
    const isAbsent = ['ENOENT', 'ENOTDIR'].includes(codeOf(cause));
    return { path, files: [], problem: isAbsent ? '' : `it cannot be read (${codeOf(cause)})` };
  }
}

/**
 * A folder named by the user who starts control. `isOwn`: somebody other than an administrator could have
 * written its files.
 */
export function readAddedFolder(path: string, uid = ownUid()): FoundFolder & { readonly isOwn: boolean } {
  const found = readPolicyFolder(path);
  const isTrusted = found.problem === '' && found.files.every(({ problem }) => problem === '');
  if (isTrusted && hasOwners) return { ...found, isOwn: false };
  return { ...readPolicyFolder(path, [0, uid]), isOwn: !hasOwners || uid !== 0 };
}

/** `anyone`: any owner will do, to check a file that is not in place yet. */
export function readPolicyPath(path: string, owners: readonly number[] | 'anyone'): FoundFile {
  const failed = (problem: string): FoundFile => ({ path, text: null, problem });
  let fd: number;
  try {
    // Opening a pipe would wait for a writer; a link leads to a file that others may be able to write.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    return failed(codeOf(cause) === 'ELOOP' ? 'it is a link' : `it cannot be read (${codeOf(cause)})`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return failed('it is not a plain file');
    const who = owners === 'anyone' ? null : stranger(stat, owners);
    if (who !== null) return failed(`it ${who}`);
    if (stat.size > FILE_BYTES_MAX) return failed(`it is larger than ${FILE_BYTES_MAX / 1024} KiB`);
    const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    if (length > FILE_BYTES_MAX) return failed(`it is larger than ${FILE_BYTES_MAX / 1024} KiB`);
    return {
      path,
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)),
      problem: '',
    };
  } catch (cause) {
    return failed(
      cause instanceof TypeError ? 'it is not UTF-8 text' : `it cannot be read (${codeOf(cause)})`,
    );
  } finally {
    closeSync(fd);
  }
}

export const ownUid = (): number => userInfo().uid;

/** The path with links resolved; of a folder that does not exist, with at least its dots resolved. */
export function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
