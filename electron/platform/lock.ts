// A lock that ends with its holder, however that ends: the kernel's own file locks, through SQLite, which is the one
// well-kept library here that takes them on every platform. Beside it lies the owner's name, for messages.
//   <path>        {pid, started}: who holds it, written by the holder, removed by a wanted release
//   <path>.held   an empty database, locked exclusively; it stays, since removing it would let two lock two files
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';

export interface LockOwner {
  readonly pid: number;
  readonly started: string;
}
export type LockResult =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly owner: LockOwner };

/** A thread that ended a moment ago may not have let go yet. */
const SUCCESSION_MS = 250;

/** What this thread holds: a second taker in it is the successor of the first. */
const held = new Map<string, Database.Database>();

/**
 * The process's start time in the kernel's ticks: tells a reused pid from its first owner. Empty where there is no such
 * process, where it has ended and only waits to be reaped, or where the OS does not tell.
 */
export function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name is in parentheses and may hold anything; fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function isAlive(owner: LockOwner): boolean {
  if (process.platform === 'linux') return owner.started !== '' && startedAt(owner.pid) === owner.started;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Who took the lock last and has not released it; perhaps dead. */
export function readLock(path: string): LockOwner | null {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Partial<LockOwner>;
    return typeof owner.pid === 'number' && typeof owner.started === 'string' ? (owner as LockOwner) : null;
  } catch {
    return null;
  }
}

/** The lock's owner, if it is alive. */
export const lockHolder = (path: string): LockOwner | null => {
  const owner = readLock(path);
  return owner !== null && isAlive(owner) ? owner : null;
};

function lockFile(path: string): Database.Database | null {
  const file = new Database(`${path}.held`, { timeout: SUCCESSION_MS });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return file;
  } catch (cause) {
    file.close();
    if (cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY')) return null;
    throw cause;
  }
}

/** Takes the lock, or tells who holds it. Throws what the filesystem says where the folder cannot be written. */
export function takeLock(path: string): LockResult {
  held.get(path)?.close();
  held.delete(path);
  const file = lockFile(path);
  if (file === null) return { ok: false, owner: readLock(path) ?? { pid: 0, started: '' } };
  held.set(path, file);
  const draft = `${path}.new`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, started: startedAt(process.pid) }), {
    mode: 0o600,
  });
  renameSync(draft, path);
  const release = (): void => {
    if (held.get(path) !== file) return;
    held.delete(path);
    rmSync(path, { force: true });
    file.close();
  };
  return { ok: true, release };
}
