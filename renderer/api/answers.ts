// What the gateway says when it refuses.
import { type ErrorBody, errorBodySchema } from '../../shared/errors.ts';

/** In `{error}`, or by itself; null where it says nothing we know. */
export function errorIn(answer: unknown): ErrorBody | null {
  const told = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : answer;
  return errorBodySchema.safeParse(told).data ?? null;
}
