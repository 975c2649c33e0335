// What the simulated host has room for, whatever the manager believes.
import { UNMEASURED_KIB } from '../../../electron/control/memory/budget.ts';
import type { Controller } from './controller.ts';
import {
  isWilling,
  mostMib,
  mostOverheadMib,
  overheadMib,
  promisedMib,
  type Running,
  type Starting,
} from './running.ts';

const MIB = 1024;

export interface Room {
  readonly totalMib: number;
  readonly reserveMib: number;
  readonly useMib: number;
  readonly all: readonly Running[];
  readonly starting: readonly Starting[];
  readonly controller: Controller;
  readonly nowMs: number;
}

const startingMib = (one: Starting): number => mostMib(one) + overheadMib(mostMib(one));

/** The largest VM that could start if all willing guests went to their minimum. */
export function feasibleMib(room: Room): number {
  const { totalMib, reserveMib, useMib, all, starting } = room;
  const step = Math.ceil((useMib + 256) / 128) * 128;
  let left = totalMib - Math.max(reserveMib, step);
  for (const one of all) left -= mustHaveMib(one, room) + mostOverheadMib(one.guest);
  for (const one of starting) left -= startingMib(one);
  // M2: what QEMUs need that start together is not measured yet.
  const unmeasured = starting.length + all.filter(({ guest }) => !guest.isDriverReady).length;
  return ((left - (unmeasured * UNMEASURED_KIB) / MIB - 150) * 100) / 101;
}

function mustHaveMib(running: Running, { controller, nowMs }: Room): number {
  const { guest, spec } = running;
  if (isWilling(running, nowMs)) return spec.minKib / MIB;
  const isKnown = guest.isHung && guest.isDriverReady && running.seenBy === controller;
  return isKnown ? promisedMib(running) : Math.max(promisedMib(running), guest.setup.bootMib);
}

/** The most the host could use if every guest went to its minimum: the manager cannot give it more (M3). */
export function leastLeftMib({ totalMib, all, starting }: Room): number {
  let left = totalMib;
  for (const { guest, spec } of all)
    left -=
      (guest.isDriverReady ? Math.min(spec.minKib / MIB, guest.setup.bootMib) : guest.setup.bootMib) +
      mostOverheadMib(guest);
  for (const one of starting) left -= startingMib(one);
  return left - 64;
}
