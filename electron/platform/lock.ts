// A lock that ends with its holder, however that ends: the kernel's own file locks, through SQLite, which is the one
// well-kept library here that takes them on every platform. Beside it lies the owner's name, for messages.
//   <path>        {pid, started, version}: who holds it, written by the holder, removed by a wanted release
//   <path>.held   an empty database, locked exclusively; it stays, since removing it would let two lock two files
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { hostFault } from './host-fault.ts';
import { type LockOwner, readLock, startedAt } from './lock-owner.ts';
import { EBB_VERSION } from './version.ts';

export type LockResult =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly owner: LockOwner };

/** How long to wait for the lock: a thread that ended just now may not have released it yet. */
const SUCCESSION_MS = 250;

/** The locks this thread holds. A second taker in the same thread takes a lock over from the first. */
const held = new Map<string, Database.Database>();

function lockFile(path: string): Database.Database | null {
  // Of a folder that is not there better-sqlite3 says so as if that were our mistake.
  statSync(dirname(path));
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

/** Takes the lock, or tells who holds it. Faults: disk.full, disk.io, host.permission; the lock is not held then. */
export function takeLock(path: string): LockResult {
  letGo(path);
  try {
    return taken(path);
  } catch (cause) {
    letGo(path);
    throw hostFault('locking', path, cause);
  }
}

function letGo(path: string): void {
  held.get(path)?.close();
  held.delete(path);
}

function taken(path: string): LockResult {
  const file = lockFile(path);
  if (file === null) return { ok: false, owner: readLock(path) ?? { pid: 0, started: '' } };
  held.set(path, file);
  const draft = `${path}.new`;
  const owner: LockOwner = { pid: process.pid, started: startedAt(process.pid), version: EBB_VERSION };
  writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
  renameSync(draft, path);
  const release = (): void => {
    if (held.get(path) !== file) return;
    held.delete(path);
    rmSync(path, { force: true });
    file.close();
  };
  return { ok: true, release };
}
