// What IT wrote, as the oracle knows it, and what lies outside of it: judged by the rules as written, not by
// Ebb's reading of them.
import type { Schedule } from '../../../shared/history.ts';
import { INTERVAL_MINUTES } from '../../../shared/history.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { NetworkMode } from '../../../shared/vm-setup.ts';
import { MIB } from '../../support/memory-world.ts';
import type { Settings } from '../../support/policies.ts';

export type Pick = (least: number, most: number) => number;
type Pair = readonly [number, number];

/** In MiB, minutes, days and counts; null: no rule. */
export interface Rules {
  readonly vmMax: number | null;
  readonly vmMin: Pair | null;
  readonly weight: Pair | null;
  readonly reserve: Pair | null;
  readonly budget: number | null;
  readonly mode: 'need' | 'ratio' | null;
  readonly canOptOut: boolean;
  readonly canChange: boolean;
  readonly canBrowse: boolean;
  readonly canCreate: boolean;
  readonly cpus: number | null;
  readonly count: number | null;
  readonly disk: number | null;
  readonly networks: readonly NetworkMode[] | null;
  readonly canForward: boolean;
  readonly everyMinutes: Pair | null;
  readonly keepDays: Pair | null;
  readonly quota: number | null;
}
export const NO_RULES: Rules = {
  vmMax: null,
  vmMin: null,
  weight: null,
  reserve: null,
  budget: null,
  mode: null,
  canOptOut: true,
  canChange: true,
  canBrowse: true,
  canCreate: true,
  cpus: null,
  count: null,
  disk: null,
  networks: null,
  canForward: true,
  everyMinutes: null,
  keepDays: null,
  quota: null,
};

const most = (max: number | string | null) => (max === null ? null : { max });
const between = (pair: Pair | null, unit = '') =>
  pair === null
    ? null
    : unit === ''
      ? { min: pair[0], max: pair[1] }
      : { min: `${pair[0]}${unit}`, max: `${pair[1]}${unit}` };
const mib = (amount: number | null) => (amount === null ? null : `${amount}MiB`);
const forbidden = (may: boolean) => (may ? null : { value: false });

export function settingsOf(rules: Rules): Settings {
  const all = {
    'memory.vm.max': most(mib(rules.vmMax)),
    'memory.vm.min': between(rules.vmMin, 'MiB'),
    'memory.weight': between(rules.weight),
    'memory.host.reserve': between(rules.reserve, 'MiB'),
    'memory.host.budget': most(mib(rules.budget)),
    'memory.mode': rules.mode === null ? null : { allowed: [rules.mode] },
    'memory.optOut': forbidden(rules.canOptOut),
    'memory.change': forbidden(rules.canChange),
    'headless.access': forbidden(rules.canBrowse),
    'vm.create': forbidden(rules.canCreate),
    'vm.cpus': most(rules.cpus),
    'vm.count': most(rules.count),
    'disk.size': most(mib(rules.disk)),
    'network.modes': rules.networks === null ? null : { allowed: rules.networks },
    'network.forwards': forbidden(rules.canForward),
    'history.everyMinutes': between(rules.everyMinutes),
    'history.keepDays': between(rules.keepDays),
    'history.quota': most(mib(rules.quota)),
  };
  return Object.fromEntries(Object.entries(all).filter(([, said]) => said !== null));
}

export function rulesFrom(pick: Pick): Rules {
  const pair = (low: Pair, more: number): Pair => {
    const first = pick(...low);
    return [first, first + pick(0, more)];
  };
  const maybe = <T>(make: () => T): T | null => (pick(0, 1) === 0 ? null : make());
  return {
    vmMax: maybe(() => pick(256, 3000)),
    vmMin: maybe(() => pair([64, 300], 600)),
    weight: maybe(() => pair([1, 150], 300)),
    reserve: maybe(() => pair([1024, 8000], 4000)),
    budget: maybe(() => pick(4000, 16_000)),
    mode: maybe(() => (pick(0, 1) === 0 ? 'need' : 'ratio')),
    canOptOut: pick(0, 2) > 0,
    canChange: pick(0, 3) > 0,
    canBrowse: pick(0, 3) > 0,
    canCreate: pick(0, 3) > 0,
    cpus: maybe(() => pick(1, 8)),
    count: maybe(() => pick(0, 6)),
    disk: maybe(() => pick(1, 4000)),
    networks: maybe(() => (['user', 'isolated', 'none'] as const).filter(() => pick(0, 1) === 0)),
    canForward: pick(0, 2) > 0,
    // Both ends are intervals that exist, so that one is always within.
    everyMinutes: maybe(() => {
      const [first, second] = pair([0, 7], 7);
      return [INTERVAL_MINUTES[first] ?? 15, INTERVAL_MINUTES[second] ?? 1440];
    }),
    keepDays: maybe(() => pair([1, 40], 60)),
    quota: maybe(() => pick(1, 20_000)),
  };
}

const isOutside = (amount: number, [least, most]: Pair): boolean => amount < least || amount > most;

export function hostOutside(host: HostMemory, rules: Rules): string[] {
  const { vmMax, vmMin, weight, reserve, budget, mode, canOptOut } = rules;
  const found: string[] = [];
  const cap = host.capKib ?? Number.MAX_SAFE_INTEGER;
  if (vmMax !== null && cap > vmMax * MIB) found.push(`the cap is ${host.capKib}`);
  if (reserve !== null && isOutside(host.reserveKib / MIB, reserve))
    found.push(`the reserve is ${host.reserveKib}`);
  if (budget !== null && host.budgetKib > budget * MIB) found.push(`the budget is ${host.budgetKib}`);
  if (mode !== null && host.mode !== (mode === 'need' ? 'demand' : 'proportional'))
    found.push(`the mode is ${host.mode}`);
  for (const vm of host.vms) {
    if (vmMax !== null && vm.maxKib > vmMax * MIB) found.push(`a maximum is ${vm.maxKib}`);
    const least = vmMin === null ? 0 : Math.min(vmMin[0] * MIB, vm.maxKib);
    if (vmMin !== null && (vm.minKib < least || vm.minKib > vmMin[1] * MIB))
      found.push(`a minimum is ${vm.minKib}`);
    if (weight !== null && isOutside(vm.weight, weight)) found.push(`a weight is ${vm.weight}`);
    if (!canOptOut && !vm.balanced) found.push('a VM is left out');
  }
  return found;
}

/** `spec`: the machine as it would start. */
export function machineOutside({ cpus, network, portForwards }: VmSpec, rules: Rules): string[] {
  const found: string[] = [];
  if (rules.cpus !== null && cpus > rules.cpus) found.push(`it has ${cpus} processors`);
  if (rules.networks !== null && network !== 'none' && !rules.networks.includes(network))
    found.push(`its network is ${network}`);
  if (!rules.canForward && portForwards.length > 0) found.push('ports lead into it');
  return found;
}

/** `schedule`: as it counts, after bounds were applied. */
export function scheduleOutside(schedule: Schedule, rules: Rules): string[] {
  const { everyMinutes, keepDays, quota } = rules;
  const { isOn, keep, quotaBytes } = schedule;
  const found: string[] = [];
  if (everyMinutes !== null && !isOn) found.push('automatic points are off');
  if (everyMinutes !== null && isOutside(schedule.everyMinutes, everyMinutes))
    found.push(`a point comes every ${schedule.everyMinutes} minutes`);
  const furthest = Math.max(keep.days, keep.allHours / 24, keep.weeks * 7, keep.months * 30);
  if (keepDays !== null && (keep.days < keepDays[0] || furthest > keepDays[1]))
    found.push(`points are kept ${keep.days} to ${furthest} days`);
  if (quota !== null && (quotaBytes ?? Number.MAX_SAFE_INTEGER) > quota * 2 ** 20)
    found.push(`the room is ${quotaBytes}`);
  return found;
}

/** What is wrong with a machine that people ask for: anything found must have been refused. */
export function wantedOutside(wanted: Partial<VmSpec>, rules: Rules): string[] {
  const { cpus = 1, network = 'none', portForwards = [], disks = [] } = wanted;
  const found = machineOutside({ cpus, network, portForwards } as unknown as VmSpec, rules);
  for (const { virtualBytes } of disks)
    if (rules.disk !== null && virtualBytes > rules.disk * 2 ** 20)
      found.push(`a disk is of ${virtualBytes}`);
  return found;
}
