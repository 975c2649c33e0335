// Reads the errors in the gateway's refusals.
import { type ErrorBody, errorBodySchema } from '../../shared/errors.ts';

/** The error body in `{error}`, or the answer itself; null: it is no error body. */
export function errorIn(answer: unknown): ErrorBody | null {
  const told = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : answer;
  return errorBodySchema.safeParse(told).data ?? null;
}
