// The faults of Ebb's databases where they take no row.
import type { ErrorBody } from '../../../shared/errors.ts';
import { BugError, Fault, messageOf } from '../../../shared/result.ts';
import { hostCode } from '../../platform/host-fault.ts';

/** What helps, by what SQLite says. */
function remedyOf(cause: unknown): string {
  const { code = '' } = cause as { readonly code?: string };
  if (hostCode(cause) === 'disk.full') return 'Free space on the disk of the data folder';
  if (hostCode(cause) === 'host.permission')
    return 'See that the data folder, and all that is in it, is yours to write';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code))
    return 'Check the disk of the data folder, and put a copy of the damaged database in its place';
  return 'Check the disk of the data folder';
}

/** `after`: what to do when the cause is gone. What is no refusal of the host's comes back as it is. */
export function unwritten(
  cause: unknown,
  { what, safe, after }: Pick<ErrorBody, 'what' | 'safe'> & { readonly after: string },
): Error {
  const code = hostCode(cause);
  if (code === null) return cause instanceof Error ? cause : new BugError(String(cause));
  const body = { code, what: `${what}: ${messageOf(cause)}.`, safe, todo: `${remedyOf(cause)}${after}` };
  return new Fault(body, cause);
}

/** Runs the work; what the host refuses is thrown as a fault. */
export function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unwritten(cause, {
      what: 'The change cannot be written down',
      safe: 'VMs and their disks are not affected, and what was written before stays.',
      after: ', then do it again.',
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

/** Runs the work after what cannot be taken back: its faults say what is so by then. */
export function afterwards(safe: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw cause instanceof Fault ? new Fault({ ...cause.body, safe }, cause) : cause;
  }
}
