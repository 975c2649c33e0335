// A VM of the simulated world, running or starting, and the judgements that need nothing but this VM.
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
/** A guest is calm once it was up and answering for so long. */
const CALM_MS = 20_000;
const SPIN_MAX_S = 12;
/** A guest that can be given its minimum has it within so many seconds. */
const BELOW_MAX_S = 15;
const BELOW_MIB = 16;
/** A guest this far from its target, and for so long, does not obey. */
const FAR_MIB = 16;
const CALLED_MAX_S = 12;
/** How fast guests release memory: from their cache, and where they must swap out first. */
const RELEASE_MIB_PER_S = { cache: 400, swap: 60 };
/** M4: guests that do not give delay a lease by 10 s at most; then come rounds, and answers of QMP. */
const LATE_MS = 15_000;
/**
 * A start may wait until others have booted one after the other, and then for a while in which nobody gives.
 */
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
  /** Targets that were sent and not heard yet. */
  underWay: number[];
  /** What it had in each of the last `seenSteps`. */
  readonly hadMib: number[];
  /** The least it can be squeezed to when its load is at its peak and its swap is full. */
  readonly leastMib: number;
  /** Seconds at a target that it does not move to; they are forgotten at a quarter of that pace. */
  spinS: number;
  /** QEMU's memory beyond its guest's, as far as the controller can know it. */
  knownMib: number;
  /** When it was last asked for another target. */
  steadySinceMs: number;
  /** Seconds below its minimum while that could be mended. */
  belowS: number;
  /** The direction it is to move in: 1 grow, −1 shrink. */
  way: number;
  /** Seconds in which it stood far from its target and was shown as obeying. */
  calledS: number;
  /** M9: the controller that has seen how much it holds; any other counts all of it. */
  seenBy: Controller | null;
}

export interface Starting {
  readonly spec: VmSpec;
  readonly kind: DriverKind;
  /** It goes on from there, as large as it was. */
  readonly saved: Running | null;
  atMs: number;
  readonly feasibleMib: number;
  /** How long the willing guests physically need to go to their minimums. */
  readonly releaseMs: number;
  readonly controller: Controller;
  lease: Lease | null;
}

/** What a start asks for; `leastMib`: what it does not start below. */
export const mostMib = ({ saved, spec }: Starting): number => saved?.guest.setup.bootMib ?? spec.maxKib / MIB;
export const leastMib = ({ saved, spec }: Starting): number =>
  saved?.guest.setup.bootMib ?? spec.minKib / MIB;

export const overheadMib = (bootMib: number): number => defaultOverheadKib(bootMib * MIB) / MIB;

/** The most that anybody can think it needs: overhead is measured in steps of 16 MiB. */
export const mostOverheadMib = ({ setup }: SimGuest): number =>
  Math.max(overheadMib(setup.bootMib), setup.overheadMib + 16);

/** M2: the most a guest may come to hold if it does everything it was ever asked to. */
export const promisedMib = ({ guest, underWay }: Running): number => Math.max(guest.promisedMib, ...underWay);

/** Anonymous memory that fits the minimum. Some loads fill the rest with cache, some have bursts. */
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

/** How a supervisor tells of a QEMU that has not answered yet. */
export const unreached = ({ guest }: Running): GuestPort =>
  unreachable(guest.id, 0, () => Math.round(guest.residentMib * MIB));

/** M4: a driver asked for the impossible spins. After a try it must be left alone for much longer. */
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

/** M4: a guest must be shown as what it does. `balloon`, `targetKib`: as shown. */
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

/** M6: a start gets an answer, whatever happens. */
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

/** Memory is released from cache first; what its load needs above the minimum is swapped out. */
export function releaseMs({ guest, spec, leastMib }: Running): number {
  const minMib = Math.min(spec.minKib / MIB, guest.actual);
  const swapMib = Math.max(0, Math.min(guest.actual, leastMib + SWAP_MIB) - minMib);
  return ((guest.actual - minMib) / RELEASE_MIB_PER_S.cache + swapMib / RELEASE_MIB_PER_S.swap) * 1000;
}

/** How many steps old a command's sample may be: 0.4 s, or as long as the guest did not answer. */
export const seenSteps = ({ hungUntilMs }: Running, nowMs: number): number =>
  nowMs < hungUntilMs + SPIN_MAX_S * 1000 ? 2000 : 8;

/** M4, M6: the willing guests had the time to give it, and the disk the room to journal their targets. */
export const isLate = ({ lease, atMs, releaseMs, controller }: Starting, nowMs: number): boolean =>
  lease === null && nowMs - Math.max(atMs, controller.fullUntilMs) > LATE_MS + 1.2 * releaseMs;

/** M3, M4: it would take its minimum, and there is enough. `isOwed`: nothing excuses that it lacks it. */
export function isLeftBelow(running: Running, isOwed: boolean, dt: number): boolean {
  const { guest, spec } = running;
  const leastMib = Math.min(spec.minKib / MIB, guest.setup.bootMib);
  running.belowS = isOwed && guest.actual < leastMib - BELOW_MIB ? running.belowS + dt : 0;
  if (running.belowS < BELOW_MAX_S) return false;
  running.belowS = 0;
  return true;
}
