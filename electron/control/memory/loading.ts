// Whether `actual` was written by the guest's present balloon driver (M9). QEMU says that a driver is ready
// before it has written what it holds; until then, after a reset, `actual` is the driver's before it.
import type { GuestSample } from '../ports.ts';
import { TOLERANCE_KIB } from './actuate.ts';

/** A driver that loads writes its figure within moments; one that has nothing to change writes none. */
const SETTLES_MS = 2_000;

export interface Loading {
  /** Since when the driver was seen ready; null: it is not. */
  readonly readyAtMs: number | null;
  /** What `actual` was before this driver wrote its own; null: no sample was seen. */
  readonly staleKib: number | null;
  /** The driver is known to be newly loaded. */
  readonly isNew: boolean;
}

/** No sample yet. The driver of a guest found running most likely wrote its figure long ago. */
export const UNSEEN: Loading = { readyAtMs: null, staleKib: null, isNew: false };
export const RESET: Loading = { ...UNSEEN, isNew: true };

export function foldLoading(loading: Loading, sample: GuestSample, nowMs: number): Loading {
  const { driverReady, actualKib, paused } = sample;
  if (!driverReady) return { ...RESET, staleKib: actualKib };
  // While the guest is paused, a new driver can write nothing.
  const readyAtMs = paused && loading.isNew ? null : (loading.readyAtMs ?? nowMs);
  return { ...loading, readyAtMs, staleKib: loading.staleKib ?? actualKib };
}

export function hasLoaded(
  { readyAtMs, staleKib }: Loading,
  { actualKib }: GuestSample,
  { bootKib, nowMs }: { readonly bootKib: number; readonly nowMs: number },
): boolean {
  if (readyAtMs !== null && nowMs - readyAtMs >= SETTLES_MS) return true;
  // `actual` cannot be more than all of `-m`: believing that at once gives nobody anything.
  return actualKib === null || actualKib !== staleKib || actualKib >= bootKib - TOLERANCE_KIB;
}
