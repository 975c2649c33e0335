// What the peers see of a scenario. Rules as described in research/memory.md §8, written anew: ideas only, no code of theirs.
import type { GuestStats } from '../../../../electron/control/ports.ts';
import type { Seeded } from '../../../support/seeded.ts';
import type { DriverKind } from '../guest.ts';

const MIB = 1024;

/** What a policy knows of a guest, simulated or real, and does to it. MiB. */
export interface PeerGuest {
  readonly actual: number;
  readonly target: number;
  /** Used beside its kernel's own, swapped out, and waited for. */
  readonly resident: number;
  readonly swapped: number;
  readonly unmet: number;
  /** Of the host's memory, QEMU's own part too. */
  readonly residentMib: number;
  readonly setup: {
    readonly spec: { readonly minKib: number; readonly maxKib: number };
    readonly kind: DriverKind;
    readonly overheadMib: number;
  };
  ask(targetMib: number): void;
  sample(epochMs: number): { readonly stats: GuestStats | null };
}

export interface PeerWorld {
  readonly scenario: { readonly totalMib: number };
  readonly guests: readonly PeerGuest[];
  readonly random: Seeded;
  /** What the host itself uses. */
  readonly useMib: number;
  readonly nowS: number;
}

/** Told every step; the world has moved on by then. */
export interface Mover {
  step(): void | Promise<void>;
  end?(): void;
}
export type Peer = (world: PeerWorld) => Mover;

export const overheadMib = (guest: PeerGuest): number => guest.setup.overheadMib;

/** What the host holds now: guests' pages are its own once touched. */
export const heldMib = (world: PeerWorld): number =>
  world.useMib + world.guests.reduce((sum, guest) => sum + guest.residentMib, 0);

export const minOf = (guest: PeerGuest): number => guest.setup.spec.minKib / MIB;
export const maxOf = (guest: PeerGuest): number => guest.setup.spec.maxKib / MIB;
export const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));
export const sumOf = (guests: readonly PeerGuest[], of: (guest: PeerGuest) => number): number =>
  guests.reduce((sum, guest) => sum + of(guest), 0);

/** What a hypervisor that counts guests' pages still has. */
export const freeMib = (world: PeerWorld): number =>
  world.scenario.totalMib - world.useMib - sumOf(world.guests, guest => guest.actual + overheadMib(guest));

/** Of the host's memory, in parts of one, as its own kernel counts it. */
export const hostFreeShare = (world: PeerWorld): number => 1 - heldMib(world) / world.scenario.totalMib;

/** The guest's own figure, a second old at most; 0 where it is silent. */
export function told(guest: PeerGuest): { freeMib: number; cacheMib: number } {
  const stats = guest.sample(0).stats;
  return {
    freeMib: Math.max(0, (stats?.freeKib ?? 0) / MIB),
    cacheMib: Math.max(0, (stats?.cachesKib ?? 0) / MIB),
  };
}

/** A peer that looks every `periodS`. */
export const every =
  (periodS: number, act: (world: PeerWorld) => () => void): Peer =>
  (world): Mover => {
    const turn = act(world);
    return {
      step: () => {
        if (world.nowS % periodS === 0) turn();
      },
    };
  };
