// Waiting by the clock port: for a time, for a condition with a deadline, for work with a limit.
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';

export const delay = (clock: Clock, ms: number): Promise<void> =>
  new Promise(resolve => clock.after(ms, resolve));

/** Asks until `probe` answers something else than null; null when the deadline passed. A throw ends it. */
export async function until<T>(
  clock: Clock,
  { timeoutMs, stepMs }: { readonly timeoutMs: number; readonly stepMs: number },
  probe: () => Promise<T | null> | T | null,
): Promise<T | null> {
  const deadline = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null) return value;
    if (clock.monotonicMs() >= deadline) return null;
    await delay(clock, stepMs);
  }
}

export interface Phase {
  /** "Opening the disks". */
  readonly doing: string;
  readonly limitMs: number;
}

/** Fault vm.timeout past the limit. The work may go on then: whoever undoes the start undoes it, too. */
export function within<T>(clock: Clock, { doing, limitMs }: Phase, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => reject(tooLong(doing, limitMs)));
    void work.then(resolve, reject).finally(() => timer.cancel());
  });
}

const tooLong = (doing: string, limitMs: number): Fault =>
  new Fault({
    code: 'vm.timeout',
    what: `${doing} took longer than ${limitMs / 1000} s.`,
    safe: "The VM's disks and points are untouched.",
    todo: 'Try again; the service log says what it waited for.',
  });
