// Turns whatever ended a command into an error of the contract's form and an exit code. Pure.
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault, stackOf } from '../../../shared/result.ts';
import { exitOf } from './exits.ts';
import { NotFoundError } from './pick.ts';
import { UsageError } from './values.ts';

export interface Ending {
  readonly exit: number;
  readonly body: ErrorBody;
}

const unchanged = 'Nothing was changed.';

/** `usage`: the usage of the command that was meant, or where to look. */
export function endingOf(error: unknown, usage: string): Ending {
  const body = bodyOf(error, usage);
  return { exit: exitOf(body.code), body };
}

function bodyOf(error: unknown, usage: string): ErrorBody {
  if (error instanceof Fault) return error.body;
  if (error instanceof UsageError)
    return { code: 'rpc.bad-request', what: error.message, safe: unchanged, todo: usage };
  if (error instanceof NotFoundError)
    return { code: error.code, what: error.message, safe: unchanged, todo: error.todo };
  const text = stackOf(error);
  return {
    code: 'internal',
    what: `Ebb's command failed: ${text}`.slice(0, 2000),
    safe: 'VMs keep running.',
    todo: 'Try again; if it fails again, see: ebb doctor',
  };
}

/**
 * Usage stands on a line of its own, so that it can be copied. Not by `errorText`: its file loads the schema
 * library, which is slow.
 */
export const endingText = ({ exit, body }: Ending): string =>
  exit === 2
    ? `ebb: ${body.what}\n${body.todo}`
    : `ebb: ${[body.what, body.safe, body.todo].filter(Boolean).join(' ')}`;
