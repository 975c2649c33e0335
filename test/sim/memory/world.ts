// One scenario under one policy, in simulated time: guests, a host, and the policy that moves memory between
// them. The metrics are those of research/memory.md §7.3: performance, stall, swap traffic, kills, host
// overrun, memory moved.
import { defaultOverheadKib } from '../../../electron/control/memory/budget.ts';
import { Seeded } from '../../support/seeded.ts';
import { KERNEL, SimGuest } from './guest.ts';
import { heldMib, type Mover, type PeerWorld } from './peers/host.ts';
import type { Scenario } from './scenarios.ts';
import { specOf } from './specs.ts';

const MIB = 1024;
export const STEP_S = 0.25;
const SWAP_MIB = 3072;
/** Nothing changes so long: a policy that has just begun knows no guest yet, and should not lose by that. */
const QUIET_S = 10;

export interface Metrics {
  readonly perf: number;
  readonly p5: number;
  readonly stallS: number;
  readonly swapGib: number;
  readonly kills: number;
  readonly hostOverS: number;
  /** Seconds in which more was promised than there is: only luck kept the host from being overrun (M2). */
  readonly promisedOverS: number;
  /** The most that was promised beyond what there is. */
  readonly promisedOverGib: number;
  readonly movedGib: number;
  /** How often a balloon turned round. */
  readonly flips: number;
  /** Jain's index: 1 where everyone had the same share of what it wanted beyond its minimum. */
  readonly jain: number;
}

export interface World extends PeerWorld {
  readonly scenario: Scenario;
  readonly guests: readonly SimGuest[];
  useMib: number;
  nowS: number;
}

export type Policy = (world: World) => Mover;

const promisedMib = (world: World): number =>
  world.useMib + world.guests.reduce((sum, guest) => sum + guest.promisedMib + guest.setup.overheadMib, 0);

export function worldOf(scenario: Scenario, seed: number): World {
  const random = new Seeded(seed);
  const budget = scenario.totalMib - scenario.hostMib(0) - 640;
  const guests = scenario.vms.map((vm, index) => {
    const overhead = Math.ceil(defaultOverheadKib(vm.maxMib * MIB) / MIB);
    // Everyone begins with a fair part, as far as there is enough for that.
    const fair = Math.floor(budget / scenario.vms.length) - overhead;
    const guest = new SimGuest(
      {
        spec: specOf(index + 1, { minMib: vm.minMib, maxMib: vm.maxMib }),
        bootMib: vm.maxMib,
        kind: vm.kind,
        bootSeconds: 0,
        swapMib: SWAP_MIB,
        overheadMib: overhead,
        load: at => vm.load(Math.max(0, at - QUIET_S)),
        random,
        startMib: Math.max(vm.minMib, Math.min(vm.maxMib, fair)),
      },
      0,
      true,
    );
    return guest;
  });
  return { scenario, guests, random, useMib: scenario.hostMib(0), nowS: 0 };
}

function satisfaction(guest: SimGuest): number {
  const minMib = guest.setup.spec.minKib / MIB;
  const wantedMib = guest.demand + KERNEL - minMib;
  return wantedMib <= 0 ? 1 : Math.max(0, Math.min(1, (guest.actual - minMib) / wantedMib));
}

export function jainOf(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}

export async function runWorld(world: World, policy: Policy, seconds: number): Promise<Metrics> {
  const mover = policy(world);
  const perfs: number[] = [];
  const satisfied = world.guests.map(() => 0);
  let stallS = 0;
  let hostOverS = 0;
  let promisedOverS = 0;
  let mostOverMib = 0;
  for (let step = 1; step * STEP_S <= QUIET_S + seconds; step++) {
    world.nowS = step * STEP_S;
    world.useMib = world.scenario.hostMib(Math.max(0, world.nowS - QUIET_S));
    for (const [index, guest] of world.guests.entries()) {
      guest.step(STEP_S, world.nowS);
      satisfied[index] = (satisfied[index] ?? 0) + satisfaction(guest);
      perfs.push(guest.perf);
      if (guest.psi > 10) stallS += STEP_S;
    }
    if (heldMib(world) > world.scenario.totalMib) hostOverS += STEP_S;
    const overMib = promisedMib(world) - world.scenario.totalMib;
    if (overMib > 0) promisedOverS += STEP_S;
    mostOverMib = Math.max(mostOverMib, overMib);
    await mover.step();
  }
  mover.end?.();
  perfs.sort((a, b) => a - b);
  const sum = (of: (guest: SimGuest) => number): number =>
    world.guests.reduce((all, guest) => all + of(guest), 0);
  return {
    perf: perfs.reduce((all, perf) => all + perf, 0) / perfs.length,
    p5: perfs[Math.floor(perfs.length * 0.05)] ?? 0,
    stallS,
    swapGib: sum(guest => guest.swapIoMib) / 1024,
    kills: sum(guest => guest.killed),
    hostOverS,
    promisedOverS,
    promisedOverGib: mostOverMib / 1024,
    movedGib: sum(guest => guest.movedMib) / 1024,
    flips: sum(guest => guest.flips),
    jain: jainOf(satisfied),
  };
}
