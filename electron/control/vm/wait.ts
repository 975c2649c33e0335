// Waiting for conditions with a deadline: the only form of waiting in control.
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
