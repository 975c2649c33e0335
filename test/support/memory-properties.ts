// What the planner never does wrong, over thousands of models drawn at random: one list for `npm test` (5,000 models a
// property) and for `npm run -s sim -- memory` (100,000 in all). Each holds or throws.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { actuate } from '../../electron/control/memory/actuate.ts';
import { fill, total } from '../../electron/control/memory/fill.ts';
import { ideal } from '../../electron/control/memory/ideal.ts';
import {
  type HostModel,
  poolKib,
  promisedKib,
  totalCommittedKib,
  type VmModel,
  type Wants,
} from '../../electron/control/memory/model.ts';
import { plan, sharedKib } from '../../electron/control/memory/plan.ts';
import type { VmId } from '../../shared/ids.ts';
import { floorMib } from '../../shared/units.ts';
import { amounts, anyHost, MIB, NOW_MS } from './memory-models.ts';

/** Rounding to whole MiB may cost one. */
const CLOSE = MIB;
const eitherHost = fc.oneof(anyHost('demand'), anyHost('proportional'));
const movableOf = (host: HostModel): VmModel[] => host.vms.filter(vm => vm.held === null);
const targetsOf = (host: HostModel): Map<VmId, number> =>
  new Map(plan(host, NOW_MS).targets.map(vm => [vm.id, vm.targetKib]));
const changed = (host: HostModel, index: number, change: Partial<VmModel>): HostModel => ({
  ...host,
  vms: host.vms.map((vm, at) => (at === index ? { ...vm, ...change } : vm)),
});
const bestOf = (host: HostModel): ReturnType<typeof ideal> => ideal(movableOf(host), sharedKib(host));

function inRange(host: HostModel): void {
  let sum = 0;
  const { targets } = plan(host, NOW_MS);
  for (const { id, targetKib } of targets) {
    const vm = host.vms.find(one => one.id === id);
    assert(vm !== undefined && Number.isInteger(targetKib) && targetKib % MIB === 0);
    assert(targetKib >= vm.minKib && targetKib <= Math.max(vm.minKib, vm.ceilingKib));
    sum += targetKib;
  }
  assert.equal(targets.length, movableOf(host).length);
  const mins = movableOf(host).reduce((all, vm) => all + vm.minKib, 0);
  assert(sum <= Math.max(sharedKib(host), mins), `${sum} of ${sharedKib(host)}`);
}

/** All of it is handed out, in whole MiB, and everyone is at the same place in its range. */
function sharedOutExactly(host: HostModel): void {
  const vms = movableOf(host);
  const targets = targetsOf(host);
  const tops = vms.map(vm => Math.max(vm.minKib, vm.ceilingKib));
  const [mins, most] = [vms.reduce((sum, vm) => sum + vm.minKib, 0), tops.reduce((sum, kib) => sum + kib, 0)];
  const sum = [...targets.values()].reduce((all, kib) => all + kib, 0);
  assert.equal(sum, Math.min(most, Math.max(mins, floorMib(sharedKib(host)))));
  const r = plan(host, NOW_MS).compressionRatio;
  for (const [index, vm] of vms.entries()) {
    const evenKib = r * vm.minKib + (1 - r) * (tops[index] ?? 0);
    // Of 2^43 MiB a double does not know every KiB.
    const isNear = Math.abs((targets.get(vm.id) ?? 0) - evenKib) <= CLOSE + evenKib * 2 ** -40;
    assert(isNear, `${vm.id} ${targets.get(vm.id)} is not near ${evenKib}`);
  }
}

/** More for all, or more allowed to one: the patent's plan gives nobody less, or that one no less. */
function monotoneInProportion(host: HostModel, moreKib: number, at: number): void {
  const before = targetsOf(host);
  const richer = targetsOf({ ...host, budgetKib: host.budgetKib + moreKib });
  for (const [id, kib] of before) assert((richer.get(id) ?? 0) >= kib - CLOSE, `${id} fell`);
  const vm = host.vms[at % Math.max(1, host.vms.length)];
  if (vm === undefined || vm.held !== null) return;
  const minKib = Math.min(Math.max(vm.minKib, vm.ceilingKib), vm.minKib + moreKib);
  for (const change of [{ minKib }, { ceilingKib: vm.ceilingKib + moreKib }]) {
    const own = targetsOf(changed(host, host.vms.indexOf(vm), change)).get(vm.id) ?? 0;
    assert(own >= (before.get(vm.id) ?? 0) - CLOSE, `own fell by ${JSON.stringify(change)}`);
  }
}

/** Heavier is never worse off, in no tier. */
function monotoneInWeight(host: HostModel, times: number, at: number): void {
  const vm = host.vms[at % Math.max(1, host.vms.length)];
  if (vm === undefined || vm.held !== null) return;
  const own = movableOf(host).indexOf(vm);
  const [before, after] = [
    bestOf(host),
    bestOf(changed(host, host.vms.indexOf(vm), { weight: vm.weight * times })),
  ];
  for (const level of ['working', 'buffer', 'rest'] as const)
    assert((after[level][own] ?? 0) >= (before[level][own] ?? 0) - CLOSE, `${level} fell`);
}

function sameInAnyOrder(host: HostModel): void {
  const turned = { ...host, vms: [...host.vms].reverse() };
  const [ones, others] = [targetsOf(host), targetsOf(turned)];
  for (const [id, kib] of ones)
    assert(Math.abs(kib - (others.get(id) ?? 0)) <= CLOSE, `${id} ${kib} ${others.get(id)}`);
}

function neverOverdrawn(host: HostModel): void {
  const commands = actuate(host, plan(host, NOW_MS), { deadbandKib: 0 });
  const after = {
    ...host,
    vms: host.vms.map(vm => {
      const command = commands.find(one => one.id === vm.id);
      if (command === undefined) return vm;
      assert(command.targetKib >= vm.minKib, 'below its minimum');
      assert(command.targetKib <= Math.max(vm.ceilingKib, vm.minKib, promisedKib(vm)), 'above its maximum');
      return { ...vm, targetKib: command.targetKib };
    }),
  };
  if (poolKib(host) >= 0) assert(poolKib(after) >= 0);
  else assert(totalCommittedKib(after) <= totalCommittedKib(host));
}

/** More for all, and more allowed to one, takes nothing from anyone, or from that one. */
function monotone(host: HostModel, moreKib: number, at: number): void {
  const before = bestOf(host);
  const richer = bestOf({ ...host, budgetKib: host.budgetKib + moreKib });
  for (const [index, kib] of before.rest.entries()) {
    assert((richer.rest[index] ?? 0) >= kib - CLOSE, 'rest fell');
    assert((richer.working[index] ?? 0) >= (before.working[index] ?? 0) - CLOSE, 'working fell');
  }
  const index = host.vms.length === 0 ? 0 : at % host.vms.length;
  const vm = host.vms[index];
  if (vm === undefined || vm.held !== null) return;
  const own = movableOf(host).indexOf(vm);
  const minKib = Math.min(vm.ceilingKib, vm.minKib + moreKib);
  for (const change of [{ minKib }, { ceilingKib: vm.ceilingKib + moreKib }]) {
    const wider = bestOf(changed(host, index, change));
    assert(
      (wider.rest[own] ?? 0) >= (before.rest[own] ?? 0) - CLOSE,
      `own fell by ${JSON.stringify(change)}`,
    );
  }
}

/** What a VM needs, as far as the proportional plan would give it that, is its own whatever the others claim. */
function entitled(host: HostModel, liars: readonly boolean[], claimKib: number): void {
  const claim = { workingKib: claimKib, bufferKib: claimKib, cacheKib: claimKib, isUrgent: true };
  const lying = {
    ...host,
    vms: host.vms.map((vm, index) => (liars[index] === true ? { ...vm, wants: claim } : vm)),
  };
  const vms = movableOf(lying);
  const [mins, tops] = [
    Float64Array.from(vms, vm => vm.minKib),
    Float64Array.from(vms, vm => Math.max(vm.minKib, vm.ceilingKib)),
  ];
  const fair = fill(
    mins,
    tops,
    Float64Array.from(vms, vm => vm.weight),
    Math.max(0, sharedKib(lying) - total(mins)),
  );
  const best = ideal(vms, sharedKib(lying));
  for (const [index, vm] of vms.entries()) {
    const needKib = vm.wants === null ? 0 : Math.min(fair[index] ?? 0, vm.wants.workingKib);
    assert(
      (best.working[index] ?? 0) >= needKib - CLOSE,
      `${vm.id} has ${best.working[index]} of ${needKib}`,
    );
  }
}

/** Nobody has a buffer while another lacks what it works with; nobody has spare memory while another lacks a buffer. */
function tiersInOrder(host: HostModel): void {
  const vms = movableOf(host);
  const best = bestOf(host);
  const clamped = (vm: VmModel, kib: number): number =>
    Math.min(Math.max(vm.minKib, vm.ceilingKib), Math.max(vm.minKib, kib));
  const lacks = (levels: Float64Array, wanted: (wants: Wants) => number): boolean =>
    vms.some(
      (vm, index) => vm.wants !== null && (levels[index] ?? 0) < clamped(vm, wanted(vm.wants)) - CLOSE,
    );
  if (lacks(best.working, wants => wants.workingKib))
    assert(total(best.buffer) <= total(best.working) + vms.length * CLOSE, 'a buffer before a need');
  if (lacks(best.buffer, wants => wants.bufferKib))
    assert(total(best.rest) <= total(best.buffer) + vms.length * CLOSE, 'spare before a buffer');
}

function grownBy(host: HostModel, times: number): HostModel {
  const big = (kib: number): number => kib * times;
  return {
    ...host,
    budgetKib: big(host.budgetKib),
    leasedKib: big(host.leasedKib),
    waitingKib: big(host.waitingKib),
    vms: host.vms.map(vm => ({
      ...vm,
      minKib: big(vm.minKib),
      ceilingKib: big(vm.ceilingKib),
      bootKib: big(vm.bootKib),
      actualKib: vm.actualKib === null ? null : big(vm.actualKib),
      targetKib: vm.targetKib === null ? null : big(vm.targetKib),
      mayHoldKib: big(vm.mayHoldKib),
      lateKib: big(vm.lateKib),
      overheadKib: big(vm.overheadKib),
      wants:
        vm.wants === null
          ? null
          : {
              ...vm.wants,
              workingKib: big(vm.wants.workingKib),
              bufferKib: big(vm.wants.bufferKib),
              cacheKib: big(vm.wants.cacheKib),
            },
    })),
  };
}

/** Twice the host, twice the plan: no size is built in. */
function scaleFree(host: HostModel, times: number): void {
  const grown = grownBy(host, times);
  const [small, large] = [bestOf(host), bestOf(grown)];
  for (const level of ['working', 'buffer', 'rest'] as const)
    for (const [index, kib] of small[level].entries())
      assert(Math.abs((large[level][index] ?? 0) - times * kib) <= times * CLOSE, level);
  const [even, evenLarge] = [
    targetsOf({ ...host, mode: 'proportional' }),
    targetsOf({ ...grown, mode: 'proportional' }),
  ];
  for (const [id, kib] of even)
    assert(Math.abs((evenLarge.get(id) ?? 0) - times * kib) <= 2 * times * CLOSE, id);
}

const furthestKib = (a: ReadonlyMap<VmId, number>, b: ReadonlyMap<VmId, number>): number =>
  Math.max(0, ...[...a].map(([id, kib]) => Math.abs(kib - (b.get(id) ?? 0))));

/**
 * The same of what is moved. A move is made or not: where a MiB more or less decides that, rounding does, and nothing is
 * said of it.
 */
function movesScaleFree(small: HostModel, times: number): void {
  // Large enough for a MiB to be little.
  const host = grownBy(small, 64);
  const targets = targetsOf(host);
  const roundedKib = (host.vms.length + 2) * CLOSE;
  for (const kib of [-2, -1, 1, 2].map(mib => mib * 2 * MIB)) {
    const nearly = {
      ...host,
      budgetKib: host.budgetKib + kib * host.vms.length,
      vms: host.vms.map(vm => ({ ...vm, targetKib: vm.targetKib === null ? null : vm.targetKib + kib })),
    };
    fc.pre(furthestKib(targets, targetsOf(nearly)) <= 4 * roundedKib + Math.abs(kib) * host.vms.length);
  }
  const large = targetsOf(grownBy(host, times));
  const shrunk = new Map([...large].map(([id, kib]) => [id, kib / times]));
  assert(furthestKib(targets, shrunk) <= roundedKib, `${furthestKib(targets, shrunk) / MIB} MiB away`);
}

/** Willing guests at a steady need: within two minutes everyone is where they stay, and nothing is said any more. */
function fallsSilent(host: HostModel): void {
  let now: HostModel = {
    ...host,
    vms: movableOf(host).map(vm => ({ ...vm, actualKib: vm.actualKib ?? vm.bootKib, lateKib: 0 })),
  };
  for (let second = 0, pause = 1; second < 240; second += pause) {
    const atMs = NOW_MS + second * 1000;
    const commands = actuate(now, plan(now, atMs), { deadbandKib: 8 * MIB });
    if (second >= 120) assert.deepEqual(commands, [], `moved at ${second} s`);
    // Only locks run out while nothing is said.
    pause = commands.length === 0 ? 5 : 1;
    now = {
      ...now,
      vms: now.vms.map(vm => {
        const command = commands.find(one => one.id === vm.id);
        const targetKib = command?.targetKib ?? vm.targetKib ?? vm.bootKib;
        const beforeKib = vm.targetKib ?? vm.bootKib;
        return {
          ...vm,
          targetKib,
          actualKib: targetKib,
          shrankAtMs: targetKib < beforeKib ? atMs : vm.shrankAtMs,
          grewAtMs: targetKib > beforeKib ? atMs : vm.grewAtMs,
        };
      }),
    };
  }
}

export interface MemoryProperty {
  readonly title: string;
  readonly property: fc.IProperty<unknown>;
}

const more = fc.nat(4096).map(mib => mib * MIB);
export const MEMORY_PROPERTIES: readonly MemoryProperty[] = [
  {
    title: 'M1, M3: whole MiB, within the range, within what there is',
    property: fc.property(eitherHost, inRange),
  },
  {
    title: 'M1, proportional: all of it is handed out, everyone at the same place in its range',
    property: fc.property(anyHost('proportional'), sharedOutExactly),
  },
  {
    title: 'M1, proportional: more for all, or more allowed to one, never means less for it',
    property: fc.property(anyHost('proportional'), more, fc.nat(8), monotoneInProportion),
  },
  {
    title: 'M1: heavier never means less',
    property: fc.property(anyHost('demand'), fc.integer({ min: 2, max: 50 }), fc.nat(8), monotoneInWeight),
  },
  { title: 'M1: the order of the VMs does not matter', property: fc.property(eitherHost, sameInAnyOrder) },
  {
    title: 'M2, M3: no command overdraws, none is below min or above max',
    property: fc.property(eitherHost, neverOverdrawn),
  },
  {
    title: 'M1: more for all, or more allowed to one, never means less for it',
    property: fc.property(anyHost('demand'), more, fc.nat(8), monotone),
  },
  {
    title: 'M4: a liar costs no other its entitlement',
    property: fc.property(
      anyHost('demand'),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      amounts,
      (host, liars, claim) => entitled(host, liars, claim * MIB),
    ),
  },
  { title: 'M1: need before buffer before the rest', property: fc.property(anyHost('demand'), tiersInOrder) },
  {
    title: 'M1: all sizes times k is the plan times k',
    property: fc.property(anyHost('demand'), fc.integer({ min: 2, max: 64 }), scaleFree),
  },
  {
    title: 'M1: all sizes times k is all that moves times k',
    property: fc.property(anyHost('demand'), fc.integer({ min: 2, max: 64 }), movesScaleFree),
  },
  { title: 'M1: at a steady need it falls silent', property: fc.property(eitherHost, fallsSilent) },
];
