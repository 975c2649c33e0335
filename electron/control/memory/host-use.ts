// What the host's own programs use, and will use in a moment: they do not ask before they grow. Pure folds.
import type { HostFigures } from './budget.ts';

export interface HostUse {
  readonly nowKib: number;
  readonly atMs: number;
  readonly slopeKibPerS: number;
  /** The highest seen, forgotten slowly: what was needed once is soon needed again. */
  readonly peakKib: number;
}

/** How long it takes until a balloon has answered: a plan, a command, a release. */
const LOOK_AHEAD_S = 4;
const SLOPE_SHARE = 0.4;
const PEAK_FORGOTTEN_PER_S = 0.05;
/** Two samples closer together than this say nothing about a slope. */
const SLOPE_FROM_MS = 200;

/** `vmResidentKib`: what our VMs hold now, which is not the host's own use. */
export const hostUseKib = (host: HostFigures, vmResidentKib: number): number =>
  Math.max(0, host.totalKib - host.availableKib - vmResidentKib);

export const steadyUse = (nowKib: number, atMs: number): HostUse => ({
  nowKib,
  atMs,
  slopeKibPerS: 0,
  peakKib: nowKib,
});

export function foldHostUse(use: HostUse, nowKib: number, atMs: number): HostUse {
  const elapsedMs = atMs - use.atMs;
  if (elapsedMs < SLOPE_FROM_MS)
    return nowKib <= use.nowKib ? use : { ...use, peakKib: Math.max(use.peakKib, nowKib) };
  const seconds = Math.min(10, elapsedMs / 1000);
  const slope = (nowKib - use.nowKib) / (elapsedMs / 1000);
  const kept = (use.peakKib - nowKib) * (1 - PEAK_FORGOTTEN_PER_S) ** seconds;
  return {
    nowKib,
    atMs,
    slopeKibPerS: use.slopeKibPerS + SLOPE_SHARE * (slope - use.slopeKibPerS),
    peakKib: Math.round(nowKib + Math.max(0, kept)),
  };
}

/** What to leave for the host's own programs. */
export const expectedUseKib = (use: HostUse): number =>
  Math.max(use.peakKib, Math.round(use.nowKib + LOOK_AHEAD_S * Math.max(0, use.slopeKibPerS)));
