// A lock file with its owner's identity: pid and start time, so that a reused pid is not taken for the owner. A dead
// owner's lock is taken over; a second taker in the same process is its successor (a worker that replaced another).
import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';

export interface LockOwner {
  readonly pid: number;
  readonly started: string;
}
export type LockResult =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly owner: LockOwner };

/** The process's start time in the kernel's ticks; empty where it does not exist (or the OS does not tell). */
export function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name is in parentheses and may hold anything; fields are counted after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
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

export function readLock(path: string): LockOwner | null {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Partial<LockOwner>;
    return typeof owner.pid === 'number' && typeof owner.started === 'string' ? (owner as LockOwner) : null;
  } catch {
    return null;
  }
}

/** Is the lock's owner alive? */
export const lockHolder = (path: string): LockOwner | null => {
  const owner = readLock(path);
  return owner !== null && isAlive(owner) ? owner : null;
};

export function takeLock(path: string): LockResult {
  const self: LockOwner = { pid: process.pid, started: startedAt(process.pid) };
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        // link fails when the name exists: the one atomic test-and-set every filesystem has.
        linkSync(own, path);
        return { ok: true, release: () => rmSync(path, { force: true }) };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      }
      const owner = lockHolder(path);
      if (owner !== null && owner.pid !== process.pid) return { ok: false, owner };
      rmSync(path, { force: true });
    }
    return { ok: false, owner: readLock(path) ?? { pid: 0, started: '' } };
  } finally {
    unlinkSync(own);
  }
}
