// What ended a command, as an error of the contract's form and an exit code. Pure.
import { type ErrorBody, type ErrorCode, errorText } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { NotFoundError, UsageError } from './arguments.ts';

/** 0 ok · 1 failed · 2 usage · 3 not found · 4 wrong state · 5 not enough memory · 6 not enough disk · 7 guest refused or
 *  timed out · 8 integrity · 77 denied · 130 cancelled. */
export const EXIT_INTEGRITY = 8;
const EXIT: Readonly<Partial<Record<ErrorCode, number>>> = {
  'rpc.bad-request': 2,
  'vm.not-found': 3,
  'moment.not-found': 3,
  'disk.not-found': 3,
  'task.not-found': 3,
  'vm.wrong-state': 4,
  'moment.pinned': 4,
  'memory.not-enough': 5,
  'memory.over-host': 5,
  'disk.full': 6,
  'vm.timeout': 7,
  'memory.guest-refuses': 7,
  'vhd.corrupt': EXIT_INTEGRITY,
  'disk.poisoned': EXIT_INTEGRITY,
  'rpc.denied': 77,
  'memory.over-cap': 77,
  cancelled: 130,
};

export interface Ending {
  readonly exit: number;
  readonly body: ErrorBody;
}

const unchanged = 'Nothing was changed.';

/** `usage`: of the command meant, or where to look. */
export function endingOf(error: unknown, usage: string): Ending {
  const body = bodyOf(error, usage);
  return { exit: EXIT[body.code] ?? 1, body };
}

function bodyOf(error: unknown, usage: string): ErrorBody {
  if (error instanceof Fault) return error.body;
  if (error instanceof UsageError)
    return { code: 'rpc.bad-request', what: error.message, safe: unchanged, todo: usage };
  if (error instanceof NotFoundError)
    return { code: error.code, what: error.message, safe: unchanged, todo: error.todo };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'internal',
    what: `Ebb's command failed: ${text}`.slice(0, 2000),
    safe: 'VMs keep running.',
    todo: 'Try again; if it fails again, see: ebb doctor',
  };
}

/** Usage stands on a line of its own: it is copied. */
export const endingText = ({ exit, body }: Ending): string =>
  exit === 2 ? `ebb: ${body.what}\n${body.todo}` : `ebb: ${errorText(body)}`;
