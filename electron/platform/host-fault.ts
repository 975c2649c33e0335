// What the host refuses with files, folders and databases that are not a VM's images (those: block-file.ts), as a
// Fault. A mistake of ours is none: it goes on as it is, to be logged with its stack.
import { BugError, Fault } from '../../shared/result.ts';
import { errnoOf, NO_SPACE } from './block-file.ts';

type HostCode = 'disk.full' | 'disk.io' | 'host.permission';

const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);
/** SQLite's words for a full disk: for the database, its log, or the memory that readers share. */
const DATABASE_FULL = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);
const DATABASE_FORBIDDEN = /^SQLITE_(READONLY|CANTOPEN)/;
const DATABASE_BROKEN = /^SQLITE_(IOERR|CORRUPT|NOTADB)/;

/** Null: the host refused nothing, we made a mistake. */
export function hostCode(cause: unknown): HostCode | null {
  const code = errnoOf(cause);
  if (code === null) return null;
  if (NO_SPACE.has(code) || DATABASE_FULL.has(code)) return 'disk.full';
  if (FORBIDDEN.has(code) || DATABASE_FORBIDDEN.test(code)) return 'host.permission';
  return code.startsWith('SQLITE_') && !DATABASE_BROKEN.test(code) ? null : 'disk.io';
}

const REMEDY: Readonly<Record<HostCode, string>> = {
  'disk.full': 'Free some space, then do it again.',
  'disk.io': 'Check the disk this file is on.',
  'host.permission': 'See that your account may read and write there, then do it again.',
};

export function hostFault(doing: string, name: string, cause: unknown): Error {
  const code = hostCode(cause);
  if (code === null) return cause instanceof Error ? cause : new BugError(String(cause));
  const failed = `${doing} ${name} failed (${errnoOf(cause)}).`;
  const what = code === 'disk.full' ? `The disk is full: ${failed}` : failed;
  return new Fault({ code, what, safe: 'What was written before is safe.', todo: REMEDY[code] }, cause);
}

/** Does the work; what the host refuses is thrown as a fault. */
export function hosted<T>(doing: string, name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw hostFault(doing, name, cause);
  }
}
