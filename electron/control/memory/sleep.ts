// Whether this computer slept between two looks at its clocks (M5). Pure. The monotonic clock stands still in sleep on some
// systems and not on others; the wall clock may also have been set, and then nothing is lost by looking anew.

export interface Clocks {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** No round is so late on a computer that is awake. */
const ROUND_MAX_MS = 30_000;
const DRIFT_MAX_MS = 10_000;

export function hasSlept(before: Clocks, now: Clocks): boolean {
  const monotonicMs = now.monotonicMs - before.monotonicMs;
  return monotonicMs > ROUND_MAX_MS || now.wallMs - before.wallMs - monotonicMs > DRIFT_MAX_MS;
}
