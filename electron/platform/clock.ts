// The real clock.
import type { Clock } from './ports.ts';

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};

/** Local time less UTC at an instant, by the zone this computer is in now. */
export const localOffsetMs = (atMs: number): number => new Date(atMs).getTimezoneOffset() * -60_000;

/** Waits, and keeps the process alive while waiting, as `Clock.after` does; `Clock.every` lets it end. */
export const pause = (delayMs: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, delayMs);
  });
