// A VM of the simulated world, running or about to, and what is judged of it alone.
import { defaultOverheadKib } from '../../../electron/control/memory/budget.ts';
import type { GuestPort, Lease } from '../../../electron/control/ports.ts';
import { unreachable } from '../../../electron/control/vm/find-running.ts';
import type { VmMemory } from '../../../shared/memory.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { Controller, Line } from './controller.ts';
import type { DriverKind, Load, SimGuest } from './guest.ts';

const MIB = 1024;
export const SWAP_MIB = 1024;
/** Up, and answering, for so long. */
const CALM_MS = 20_000;
const SPIN_MAX_S = 12;
/** A minimum that can be given is given within this. */
const BELOW_MAX_S = 15;
const BELOW_MIB = 16;
/** So far from what it is told, for so long. */
const FAR_MIB = 16;
const CALLED_MAX_S = 12;
/** Out of cache, and out of what has to be swapped out first. */
const RELEASE_MIB_PER_S = { cache: 400, swap: 60 };
/** M4: guests that do not give delay a lease by no more than 10 s; then rounds, and answers of QMP. */
const LATE_MS = 15_000;
/** Others that boot are waited for one after the other; then nobody gives, for a while. */
const WAITS_MAX_MS = 150_000;
export const KINDS: readonly DriverKind[] = [
  'normal',
  'normal',
  'normal',
  'slow',
  'stuck',
  'intermittent',
  'floor',
  'ceiling',
  'dies-mid-way',
  'silent',
  'lying',
  'self-deflating',
  'none',
];

export interface Running extends Line {
  spec: VmSpec;
  readyAtMs: number;
  specAtMs: number;
  /** Sent and not yet heard. */
  underWay: number[];
  /** In the last `seenSteps`. */
  readonly hadMib: number[];
  /** What its load, at its most and swapped out as far as swap goes, leaves it no way below. */
  readonly leastMib: number;
  /** Seconds at a target it does not move to, forgotten at a quarter of their pace. */
  spinS: number;
  /** Of QEMU beyond its guest: what the controller can know. */
  knownMib: number;
  /** When it was last asked for something else. */
  steadySinceMs: number;
  /** Seconds below its minimum while that could be mended. */
  belowS: number;
  /** Grow or shrink: 1, −1. */
  way: number;
  /** Seconds in which it stood far from what it is told, and was called obeying. */
  calledS: number;
  /** M9: who has seen how much it holds; whoever has not counts all of it. */
  seenBy: Controller | null;
}

export interface Starting {
  readonly spec: VmSpec;
  readonly kind: DriverKind;
  /** It goes on, as large as it was. */
  readonly saved: Running | null;
  atMs: number;
  readonly feasibleMib: number;
  /** Physically: what the willing need to go to their minimums. */
  readonly releaseMs: number;
  readonly controller: Controller;
  lease: Lease | null;
}

/** What it asks for, and what it does not start below. */
export const mostMib = ({ saved, spec }: Starting): number => saved?.guest.setup.bootMib ?? spec.maxKib / MIB;
export const leastMib = ({ saved, spec }: Starting): number =>
  saved?.guest.setup.bootMib ?? spec.minKib / MIB;

export const overheadMib = (bootMib: number): number => defaultOverheadKib(bootMib * MIB) / MIB;

/** As much as anybody can think it needs: measured in steps of 16 MiB. */
export const mostOverheadMib = ({ setup }: SimGuest): number =>
  Math.max(overheadMib(setup.bootMib), setup.overheadMib + 16);

/** M2: all a guest may come to hold if it does everything it was ever asked. */
export const promisedMib = ({ guest, underWay }: Running): number => Math.max(guest.promisedMib, ...underWay);

/** Anonymous memory that fits the minimum; some fill what they have with cache, some have bursts. */
export function loadOf(
  random: Seeded,
  { minMib, bootMib, isRamp }: { minMib: number; bootMib: number; isRamp: boolean },
): { load: (seconds: number) => Load; peakMib: number } {
  const base = (minMib - 130) * (0.2 + random.below(60) / 100);
  const hasBursts = !isRamp && random.below(4) === 0;
  const burst = hasBursts ? (bootMib - minMib) * 0.7 : 0;
  const periodS = 40 + random.below(60);
  const reads = isRamp ? 300 : random.pick([0, 0, 50, 200]);
  const load = (seconds: number): Load => ({
    demandMib: base + (seconds % periodS > periodS / 2 ? burst : 0),
    hotMib: 64,
    readMibPerS: reads,
  });
  return { load, peakMib: base + burst };
}

/** As a supervisor tells of a QEMU it has no word from yet. */
export const unreached = ({ guest }: Running): GuestPort =>
  unreachable(guest.id, 0, () => Math.round(guest.residentMib * MIB));

/** M4: a driver asked for what it cannot do spins; asked once, it is left alone for much longer than it was tried. */
export function isLeftSpinning(running: Running, isAsked: boolean, dt: number): boolean {
  const { guest } = running;
  const hasMoved = Math.abs(guest.actual - (running.hadMib.at(-1) ?? guest.actual)) > 0.01;
  const way = Math.sign(guest.target - guest.actual);
  if (hasMoved || way === -running.way) running.spinS = 0;
  if (way !== 0) running.way = way;
  if (hasMoved) return false;
  if (isAsked && guest.actual - guest.target > 16) running.spinS += dt;
  else running.spinS = Math.max(0, running.spinS - dt / 4);
  if (running.spinS < SPIN_MAX_S) return false;
  running.spinS = 0;
  return true;
}

/** M4: what is shown of it is what it does. `shown`: to whoever looks. */
export function isCalledObeying(
  running: Running,
  { balloon, targetKib }: Pick<VmMemory, 'balloon' | 'targetKib'>,
  dt: number,
): boolean {
  const { actual } = running.guest;
  const hasMoved = Math.abs(actual - (running.hadMib.at(-1) ?? actual)) > 0.01;
  const isFar = targetKib !== null && Math.abs(actual - targetKib / MIB) > FAR_MIB;
  running.calledS = balloon === 'obeying' && isFar && !hasMoved ? running.calledS + dt : 0;
  if (running.calledS < CALLED_MAX_S) return false;
  running.calledS = 0;
  return true;
}

/** M6: a start is answered, however it goes. */
export function isLeftWaiting(starting: Starting, nowMs: number): boolean {
  return starting.lease === null && starting.controller.isAlive && nowMs - starting.atMs >= WAITS_MAX_MS;
}

/** It gives what it is asked for, down to its minimum. */
export const isWilling = (
  { guest, spec, leastMib, readyAtMs, hungUntilMs }: Running,
  nowMs: number,
): boolean =>
  guest.setup.kind === 'normal' &&
  leastMib <= spec.minKib / MIB &&
  guest.isDriverReady &&
  !guest.isPaused &&
  spec.balanced &&
  nowMs - Math.max(readyAtMs, hungUntilMs) > CALM_MS;

/** From its cache first; what its load, at its most, leaves above its minimum has to be swapped out. */
export function releaseMs({ guest, spec, leastMib }: Running): number {
  const minMib = Math.min(spec.minKib / MIB, guest.actual);
  const swapMib = Math.max(0, Math.min(guest.actual, leastMib + SWAP_MIB) - minMib);
  return ((guest.actual - minMib) / RELEASE_MIB_PER_S.cache + swapMib / RELEASE_MIB_PER_S.swap) * 1000;
}

/** As old as a sample may be when a command follows from it: 0.4 s, or as long as it did not answer. */
export const seenSteps = ({ hungUntilMs }: Running, nowMs: number): number =>
  nowMs < hungUntilMs + SPIN_MAX_S * 1000 ? 2000 : 8;

/** M4, M6: what the willing could give it has not come to it, since there was room to write down what they are asked. */
export const isLate = ({ lease, atMs, releaseMs, controller }: Starting, nowMs: number): boolean =>
  lease === null && nowMs - Math.max(atMs, controller.fullUntilMs) > LATE_MS + 1.2 * releaseMs;

/** M3, M4: it would take its minimum and there is enough for it. `isOwed`: nothing excuses that it has not. */
export function isLeftBelow(running: Running, isOwed: boolean, dt: number): boolean {
  const { guest, spec } = running;
  const leastMib = Math.min(spec.minKib / MIB, guest.setup.bootMib);
  running.belowS = isOwed && guest.actual < leastMib - BELOW_MIB ? running.belowS + dt : 0;
  if (running.belowS < BELOW_MAX_S) return false;
  running.belowS = 0;
  return true;
}
