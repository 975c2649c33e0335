// How often a caller may ask: a burst, then a steady rate (a token bucket). Pure but for the given clock.
export interface Pace {
  /** Counts one request. False: the caller asks too often. */
  take(): boolean;
}

export interface PaceLimits {
  readonly atOnce: number;
  readonly perSecond: number;
}

/** A window asks about ten times a second; a screen viewer reports the mouse up to a hundred times. */
export const SESSION_PACE: PaceLimits = { atOnce: 2000, perSecond: 500 };

export function paceOf({ atOnce, perSecond }: PaceLimits, nowMs: () => number): Pace {
  let left = atOnce;
  let at = nowMs();
  return {
    take: () => {
      const now = nowMs();
      left = Math.min(atOnce, left + (Math.max(0, now - at) * perSecond) / 1000);
      at = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
