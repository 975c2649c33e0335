// The faults of catalog.db where it takes no row.
import Database from 'better-sqlite3';
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault, messageOf } from '../../../shared/result.ts';

export const FREE = 'Free space on the disk of the data folder';

/** SQLite's words for a full disk: for the database, its log, or the memory that readers share. */
const FULL: readonly unknown[] = ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'];

export function unwritten(cause: unknown, { what, safe, todo }: Omit<ErrorBody, 'code'>): Fault {
  const { code } = cause as { readonly code?: string };
  const why = `${what}: ${messageOf(cause)}.`;
  return new Fault({ code: FULL.includes(code) ? 'disk.full' : 'disk.io', what: why, safe, todo }, cause);
}

/** Runs the work; what SQLite refuses is thrown as a fault, disk.full or disk.io. */
export function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause;
    throw unwritten(cause, {
      what: 'The change cannot be written down',
      safe: 'VMs and their disks are not affected, and what was written before stays.',
      todo: `${FREE}, then do it again.`,
    });
  }
}

/** Logs a fault of the work instead of throwing it, where somebody tells again what was to be written. */
export function orLater(work: () => void, what: string, log: (line: string) => void): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    log(`${what} is not written yet: ${cause.message}`);
  }
}
