// Who holds a lock (lock.ts), and whether that process lives. Apart from lock.ts, which takes locks, so that
// a start of the CLI, which only looks, loads no SQLite.
import { readFileSync } from 'node:fs';

export interface LockOwner {
  readonly pid: number;
  readonly started: string;
  /** The holder's version of Ebb; absent: an Ebb that did not write it yet holds the lock. */
  readonly version?: string;
}

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
