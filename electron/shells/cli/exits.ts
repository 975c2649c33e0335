// Exit codes: stable, because scripts rely on them. One table for the program, its manual and its tests.
import type { ErrorCode } from '../../../shared/errors.ts';

interface Exit {
  readonly code: number;
  readonly doc: string;
  readonly of: readonly ErrorCode[];
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_INTEGRITY = 8;
export const EXIT_INTERRUPTED = 130;
/** The code by which a shell reports a program that SIGPIPE ended. */
export const EXIT_UNREAD = 141;

export const EXITS: readonly Exit[] = [
  { code: EXIT_OK, doc: 'Done', of: [] },
  { code: EXIT_FAILED, doc: 'Failed: for any reason not named below', of: [] },
  { code: 2, doc: 'Wrong use: an unknown word, or a value that cannot be', of: ['rpc.bad-request'] },
  {
    code: 3,
    doc: 'Not found: no such VM, point, disk, task, token or session',
    of: ['vm.not-found', 'moment.not-found', 'disk.not-found', 'task.not-found', 'access.not-found'],
  },
  {
    code: 4,
    doc: 'Wrong state: the VM, point or disk is not in a state for it',
    of: ['vm.wrong-state', 'moment.pinned', 'disk.in-use', 'disk.owned-elsewhere'],
  },
  { code: 5, doc: 'Not enough memory', of: ['memory.not-enough', 'memory.over-host'] },
  { code: 6, doc: 'Not enough room on the disk', of: ['disk.full'] },
  {
    code: 7,
    doc: 'The VM did not answer in time, or has no balloon',
    of: ['vm.timeout', 'memory.no-balloon'],
  },
  {
    code: EXIT_INTEGRITY,
    doc: 'Integrity: a disk, its history or the audit is damaged',
    of: ['vhd.corrupt', 'disk.poisoned', 'timeline.missing'],
  },
  {
    code: 77,
    doc: 'Denied by a limit set for this computer',
    of: ['rpc.denied', 'policy.denied', 'memory.over-cap'],
  },
  { code: EXIT_INTERRUPTED, doc: 'Interrupted, or the task was cancelled', of: ['cancelled'] },
  { code: EXIT_UNREAD, doc: 'Nobody read what was written', of: [] },
];

const BY_ERROR: ReadonlyMap<ErrorCode, number> = new Map(
  EXITS.flatMap(({ code, of }) => of.map(error => [error, code] as const)),
);
export const exitOf = (error: ErrorCode): number => BY_ERROR.get(error) ?? EXIT_FAILED;
