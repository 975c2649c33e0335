// What the peers see of a scenario. Their rules are those of research/memory.md §8, written anew: only ideas,
// none of their code.
import type { GuestStats } from '../../../../electron/control/ports.ts';
import type { Seeded } from '../../../support/seeded.ts';
import type { DriverKind } from '../guest.ts';

const MIB = 1024;

/** What a policy knows of a guest, simulated or real, and what it does to it. MiB. */
export interface PeerGuest {
  readonly actual: number;
  readonly target: number;
  /** Memory used beside the kernel's own, memory swapped out, and memory waited for. */
  readonly resident: number;
  readonly swapped: number;
  readonly unmet: number;
  /** What it holds of the host's memory, with QEMU's own part. */
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

/** Called at every step, after the world has moved on. */
export interface Mover {
  step(): void | Promise<void>;
  end?(): void;
}
export type Peer = (world: PeerWorld) => Mover;

export const overheadMib = (guest: PeerGuest): number => guest.setup.overheadMib;

/** What the host holds now: a guest's page counts once it was touched. */
export const heldMib = (world: PeerWorld): number =>
  world.useMib + world.guests.reduce((sum, guest) => sum + guest.residentMib, 0);

export const minOf = (guest: PeerGuest): number => guest.setup.spec.minKib / MIB;
export const maxOf = (guest: PeerGuest): number => guest.setup.spec.maxKib / MIB;
export const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));
export const sumOf = (guests: readonly PeerGuest[], of: (guest: PeerGuest) => number): number =>
  guests.reduce((sum, guest) => sum + of(guest), 0);

/** What is free to a hypervisor that counts the guests' pages. */
export const freeMib = (world: PeerWorld): number =>
  world.scenario.totalMib - world.useMib - sumOf(world.guests, guest => guest.actual + overheadMib(guest));

/** The free share of the host's memory, as its own kernel counts it. */
export const hostFreeShare = (world: PeerWorld): number => 1 - heldMib(world) / world.scenario.totalMib;

/** The guest's own figures, a second old at most; 0 where it is silent. */
export function told(guest: PeerGuest): { freeMib: number; cacheMib: number } {
  const stats = guest.sample(0).stats;
  return {
    freeMib: Math.max(0, (stats?.freeKib ?? 0) / MIB),
    cacheMib: Math.max(0, (stats?.cachesKib ?? 0) / MIB),
  };
}

/** A peer that acts every `periodS` seconds. */
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
