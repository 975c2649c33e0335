// What the peers see of a scenario. Rules as described in research/memory.md §8, written anew: ideas only, no code of theirs.
import type { SimGuest } from '../guest.ts';
import { heldMib, type Mover, overheadMib, type Policy, type World } from '../world.ts';

const MIB = 1024;

export const minOf = (guest: SimGuest): number => guest.setup.spec.minKib / MIB;
export const maxOf = (guest: SimGuest): number => guest.setup.spec.maxKib / MIB;
export const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));
export const sumOf = (guests: readonly SimGuest[], of: (guest: SimGuest) => number): number =>
  guests.reduce((sum, guest) => sum + of(guest), 0);

/** What a hypervisor that counts guests' pages still has. */
export const freeMib = (world: World): number =>
  world.scenario.totalMib - world.useMib - sumOf(world.guests, guest => guest.actual + overheadMib(guest));

/** Of the host's memory, in parts of one, as its own kernel counts it. */
export const hostFreeShare = (world: World): number => 1 - heldMib(world) / world.scenario.totalMib;

/** The guest's own figure, a second old at most; 0 where it is silent. */
export function told(guest: SimGuest): { freeMib: number; cacheMib: number } {
  const stats = guest.sample(0).stats;
  return {
    freeMib: Math.max(0, (stats?.freeKib ?? 0) / MIB),
    cacheMib: Math.max(0, (stats?.cachesKib ?? 0) / MIB),
  };
}

/** A peer that looks every `periodS`. */
export const every =
  (periodS: number, act: (world: World) => () => void): Policy =>
  (world): Mover => {
    const turn = act(world);
    return {
      step: () => {
        if (world.nowS % periodS === 0) turn();
      },
    };
  };
