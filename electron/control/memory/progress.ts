// Judges whether a guest does what it was asked (M4): obeying, slow, refusing; and, after a refusal, how long
// it is left alone. A pure fold over samples. A stuck guest delays nobody: its commitment counts as it stands
// and others are planned around it. Limits: xen squeezed's 5 s, doubled back-off, cleared by evidence.
import type { BalloonState } from '../../../shared/memory.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import { TOLERANCE_KIB } from './actuate.ts';

const STUCK_AFTER_MS = 5_000;
const QUARANTINE_MS = 30_000;
const QUARANTINE_MS_MAX = 600_000;
/** After a guest took memory back by itself it is not asked again for so long: never fight an OOM. */
const REST_MS = 20_000;
const PROGRESS_KIB = MIB_KIB;
const SELF_DEFLATED_KIB = 16 * MIB_KIB;

export interface Progress {
  readonly state: Extract<BalloonState, 'obeying' | 'slow' | 'refusing'>;
  /** Since when a target is not reached; null when it is. */
  readonly askedAtMs: number | null;
  readonly movedAtMs: number;
  /** How long it had stood still under earlier targets it was not given time to reach. */
  readonly vainMs: number;
  readonly lastKib: number;
  readonly reached: boolean;
  readonly quarantinedUntilMs: number;
  readonly strikes: number;
  readonly restUntilMs: number;
}

export const freshProgress = (actualKib: number, nowMs: number): Progress => ({
  state: 'obeying',
  askedAtMs: null,
  movedAtMs: nowMs,
  vainMs: 0,
  lastKib: actualKib,
  reached: false,
  quarantinedUntilMs: 0,
  strikes: 0,
  restUntilMs: 0,
});

export const isQuarantined = (progress: Progress, nowMs: number): boolean =>
  nowMs < progress.quarantinedUntilMs;
export const isResting = (progress: Progress, nowMs: number): boolean => nowMs < progress.restUntilMs;

/** How long it has stood still though asked; forgotten at a quarter of that pace while nothing is asked. */
const stillMs = ({ askedAtMs, movedAtMs, vainMs }: Progress, nowMs: number): number =>
  askedAtMs === null
    ? Math.max(0, vainMs - (nowMs - movedAtMs) / 4)
    : vainMs + nowMs - Math.max(movedAtMs, askedAtMs);

/** One sample later. `targetKib` is what it was last asked. */
export function foldProgress(
  progress: Progress,
  targetKib: number,
  actualKib: number,
  nowMs: number,
): Progress {
  const distance = Math.abs(actualKib - targetKib);
  const moved = Math.abs(actualKib - progress.lastKib) >= PROGRESS_KIB;
  const isThere = distance <= TOLERANCE_KIB;
  // A quarantined guest is asked for what it has and so is at its target without moving: that is no evidence.
  if (isThere && isQuarantined(progress, nowMs) && !moved) return progress;
  if (isThere) {
    const strikes = progress.askedAtMs === null && !moved ? progress.strikes : 0;
    return {
      ...progress,
      state: 'obeying',
      askedAtMs: null,
      movedAtMs: nowMs,
      vainMs: moved ? 0 : stillMs(progress, nowMs),
      lastKib: actualKib,
      reached: true,
      quarantinedUntilMs: 0,
      strikes,
    };
  }
  // Also a quarantined guest that moves: its target is what it had, so it was there.
  const wasThere = progress.reached || (isQuarantined(progress, nowMs) && moved);
  if (wasThere && actualKib - targetKib >= SELF_DEFLATED_KIB && actualKib > progress.lastKib) {
    return {
      ...progress,
      state: 'obeying',
      askedAtMs: null,
      movedAtMs: nowMs,
      vainMs: 0,
      lastKib: actualKib,
      reached: false,
      restUntilMs: nowMs + REST_MS,
    };
  }
  if (isQuarantined(progress, nowMs)) return moved ? { ...progress, lastKib: actualKib } : progress;
  const askedAtMs = progress.askedAtMs ?? nowMs;
  if (moved) {
    const state =
      nowMs - askedAtMs > STUCK_AFTER_MS ? 'slow' : progress.state === 'refusing' ? 'slow' : progress.state;
    return { ...progress, state, askedAtMs, movedAtMs: nowMs, vainMs: 0, lastKib: actualKib };
  }
  const vainMs = progress.askedAtMs === null ? stillMs(progress, nowMs) : progress.vainMs;
  const asking = { ...progress, askedAtMs, vainMs };
  if (stillMs(asking, nowMs) < STUCK_AFTER_MS) return asking;
  const quarantineMs = Math.min(QUARANTINE_MS * 2 ** progress.strikes, QUARANTINE_MS_MAX);
  return {
    ...progress,
    state: 'refusing',
    askedAtMs: null,
    movedAtMs: nowMs,
    vainMs: 0,
    quarantinedUntilMs: nowMs + quarantineMs,
    strikes: progress.strikes + 1,
  };
}

const wayOf = (progress: Progress, toKib: number): number =>
  Math.abs(toKib - progress.lastKib) <= TOLERANCE_KIB ? 0 : Math.sign(toKib - progress.lastKib);

/** A paused guest cannot move: patience begins anew. */
export const paused = (progress: Progress, nowMs: number): Progress =>
  progress.askedAtMs === null ? progress : { ...progress, movedAtMs: nowMs };

/**
 * A new target. Patience begins with the first one not reached, and anew when the direction turns. Otherwise
 * the time stood still is kept: a plan that changes often would never find a stuck guest. The strikes stay.
 */
export function asked(progress: Progress, fromKib: number | null, toKib: number, nowMs: number): Progress {
  const before = progress.askedAtMs === null || fromKib === null ? 0 : wayOf(progress, fromKib);
  const after = wayOf(progress, toKib);
  if (before !== 0 && before === after) return progress;
  const vainMs = before !== 0 && before === -after ? 0 : stillMs(progress, nowMs);
  return { ...progress, askedAtMs: nowMs, movedAtMs: nowMs, vainMs, reached: false };
}
