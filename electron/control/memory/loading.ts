// Whether what a guest's balloon is said to hold is its present driver's word (M9). QEMU says that a driver is ready before
// that driver has written what it holds; until then `actual` is what the one before it held, when the guest was reset.
import type { GuestSample } from '../ports.ts';
import { TOLERANCE_KIB } from './actuate.ts';

/** A driver that loads tells within moments; one that has nothing to change says nothing. */
const SETTLES_MS = 2_000;

export interface Loading {
  /** Since when the driver was seen ready; null: it is not. */
  readonly readyAtMs: number | null;
  /** What `actual` was before this driver had its say; null: not seen since. */
  readonly staleKib: number | null;
  /** Its driver is known to be a new one. */
  readonly isNew: boolean;
}

/** Found running: most likely its driver had its say long ago. */
export const UNSEEN: Loading = { readyAtMs: null, staleKib: null, isNew: false };
export const RESET: Loading = { ...UNSEEN, isNew: true };

export function foldLoading(loading: Loading, sample: GuestSample, nowMs: number): Loading {
  const { driverReady, actualKib, paused } = sample;
  if (!driverReady) return { ...RESET, staleKib: actualKib };
  // While it is paused a new driver can say nothing.
  const readyAtMs = paused && loading.isNew ? null : (loading.readyAtMs ?? nowMs);
  return { ...loading, readyAtMs, staleKib: loading.staleKib ?? actualKib };
}

export function hasLoaded(
  { readyAtMs, staleKib }: Loading,
  { actualKib }: GuestSample,
  { bootKib, nowMs }: { readonly bootKib: number; readonly nowMs: number },
): boolean {
  if (readyAtMs !== null && nowMs - readyAtMs >= SETTLES_MS) return true;
  // All of `-m` is the most there is: believed at once it gives nobody anything.
  return actualKib === null || actualKib !== staleKib || actualKib >= bootKib - TOLERANCE_KIB;
}
