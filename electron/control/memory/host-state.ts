// How well this computer itself is off for memory, and what follows (M5, M10). Pure fold.
//
//   ok          as planned
//   low         too much is promised to VMs, little is left, or macOS warns: looked at four times a second
//   critical    also, no move is too small to make (on macOS: its pressure is red)
//   emergency   also, no VM is given anything and none starts, until the emergency is over
//
// A worse state counts at once; a better one only after the signs have been better for a while.

import type { HostMemory } from '../../../shared/memory.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { MemoryPressure } from '../../platform/host-memory.ts';

export type HostState = HostMemory['state'];

const ORDER: readonly HostState[] = ['ok', 'low', 'critical', 'emergency'];

/** A state begins below this much available memory. The planner itself leaves 256 MiB (budget.ts). */
const LOW_KIB = 192 * MIB_KIB;
const CRITICAL_KIB = 128 * MIB_KIB;
const EMERGENCY_KIB = 64 * MIB_KIB;
/** Percent of the last ten seconds in which every program waited for memory. */
const EMERGENCY_STALLED = 5;
/** With more than this available, a stall is not the host's: a container waits at its own limit. */
const STALLED_FROM_KIB = 1024 * MIB_KIB;
const BETTER_FOR_MS = 5_000;

export interface HostSigns {
  readonly availableKib: number;
  /** Linux PSI `full avg10`, percent; null where the host does not say. */
  readonly stalled: number | null;
  /** macOS's own verdict; absent or null where the host gives none. */
  readonly pressure?: MemoryPressure | null;
  /** More is promised than there is: the host's own programs grew. */
  readonly isOverdrawn: boolean;
}

export interface HostStateFold {
  readonly state: HostState;
  /** Since when the signs have been better than the state; null: they are not. */
  readonly betterSinceMs: number | null;
}

export const CALM: HostStateFold = { state: 'ok', betterSinceMs: null };

export function stateOf({ availableKib, stalled, isOverdrawn, pressure }: HostSigns): HostState {
  const isStalled = (stalled ?? 0) > EMERGENCY_STALLED;
  if (availableKib < EMERGENCY_KIB || (isStalled && availableKib < STALLED_FROM_KIB)) return 'emergency';
  if (availableKib < CRITICAL_KIB || pressure === 'critical') return 'critical';
  return availableKib < LOW_KIB || isOverdrawn || isStalled || pressure === 'warning' ? 'low' : 'ok';
}

export function foldHostState(fold: HostStateFold, signs: HostSigns, nowMs: number): HostStateFold {
  const seen = stateOf(signs);
  const [now, was] = [ORDER.indexOf(seen), ORDER.indexOf(fold.state)];
  if (now >= was) return { state: seen, betterSinceMs: null };
  const sinceMs = fold.betterSinceMs ?? nowMs;
  return nowMs - sinceMs >= BETTER_FOR_MS
    ? { state: seen, betterSinceMs: null }
    : { state: fold.state, betterSinceMs: sinceMs };
}

export const isAtLeast = (state: HostState, least: HostState): boolean =>
  ORDER.indexOf(state) >= ORDER.indexOf(least);
