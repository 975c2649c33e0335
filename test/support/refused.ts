import type { ErrorBody } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';

/** What the work is refused with; whatever else it throws goes on, and not to be refused is an error. */
export function bodyOf(work: () => unknown): ErrorBody {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Fault) return cause.body;
    throw cause;
  }
  throw new Error('nothing was refused');
}
