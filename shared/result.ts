// Three kinds of trouble, three mechanisms (DESIGN §7): pure code returns refusals, adapters throw faults,
// bugs crash.
import type { ErrorBody } from './errors.ts';

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: ErrorBody };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (refusal: ErrorBody): { readonly ok: false; readonly refusal: ErrorBody } => ({
  ok: false,
  refusal,
});

/** The world failed (EIO, no space, QMP error, time-out). Thrown by adapters, translated at the edge. */
export class Fault extends Error {
  readonly body: ErrorBody;
  constructor(body: ErrorBody, cause?: unknown) {
    super(`${body.code}: ${body.what}`, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.body = body;
  }
}

/** Our own mistake. No code handles it: it is logged with an incident id and the operation ends. */
export class BugError extends Error {
  override readonly name = 'BugError';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}

export function assertNever(value: never): never {
  throw new BugError(`impossible value ${JSON.stringify(value)}`);
}

/** For handlers at the edge: a refusal leaves the process as a fault with the same body. */
export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Fault(result.refusal);
}

/** The words of a thrown value: anything can be thrown. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
/** The stack of a thrown value, for the log of a bug. */
export const stackOf = (cause: unknown): string =>
  cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
