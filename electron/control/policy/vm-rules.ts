// VMs under policy: the spec that a VM runs with, and what may be made or started at all. The stored spec
// stays as people made it, and counts again when the rule goes. Pure.
import type { MemoryRange } from '../../../shared/memory.ts';
import { ceilMib, floorMib } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { TRASH_MS } from '../machines/trash.ts';
import type { Policy } from './policy.ts';

const DAY_MS = 24 * 3_600_000;

const clamp = (value: number, least: number | null, most: number | null): number =>
  Math.min(Math.max(value, least ?? value), most ?? value);

/** Whole MiB, rounded to the stricter side: rounding never widens a limit. */
const upMib = (kib: number | null): number | null => (kib === null ? null : ceilMib(kib));
const downMib = (kib: number | null): number | null => (kib === null ? null : floorMib(kib));

function boundRange({ minKib, maxKib }: MemoryRange, policy: Policy): MemoryRange {
  const most = downMib(policy.most('memory.vm.max'));
  const max = clamp(maxKib, null, most);
  const min = clamp(minKib, upMib(policy.least('memory.vm.min')), downMib(policy.most('memory.vm.min')));
  return { minKib: Math.min(min, max), maxKib: max };
}

/** The spec that the VM runs with. */
export function boundSpec(spec: VmSpec, policy: Policy): VmSpec {
  return {
    ...spec,
    ...boundRange(spec, policy),
    cpus: clamp(spec.cpus, null, policy.most('vm.cpus')),
    weight: clamp(spec.weight, policy.least('memory.weight'), policy.most('memory.weight')),
    // A VM left out of the balance keeps what it has. While there is a limit for each VM, none may be left
    // out: one that runs must be able to shrink to the limit.
    balanced: spec.balanced || !policy.may('memory.optOut') || policy.most('memory.vm.max') !== null,
    network: policy.allows('network.modes', spec.network) ? spec.network : 'none',
    portForwards: policy.may('network.forwards') ? spec.portForwards : [],
  };
}

/** The range to store. A bound that people left as it runs keeps its stored value, also beyond a limit. */
export function wantedRange(range: MemoryRange, spec: VmSpec, policy: Policy): MemoryRange {
  const bound = boundRange(spec, policy);
  const wanted = {
    minKib: range.minKib === bound.minKib ? spec.minKib : range.minKib,
    maxKib: range.maxKib === bound.maxKib ? spec.maxKib : range.maxKib,
  };
  if (wanted.minKib !== spec.minKib) policy.requireWithin('memory.vm.min', wanted.minKib);
  if (wanted.maxKib !== spec.maxKib) policy.requireWithin('memory.vm.max', wanted.maxKib);
  return wanted;
}

export function requireBalance(
  { balanced, weight }: Pick<VmSpec, 'balanced' | 'weight'>,
  spec: VmSpec,
  policy: Policy,
): void {
  if (!balanced && spec.balanced) policy.require('memory.optOut');
  if (weight !== spec.weight) policy.requireWithin('memory.weight', weight);
}

/** Asked where a VM comes back that was here before: it may be as large as it was, and runs within the limits. */
export const requireOneMore = (others: number, policy: Policy): void =>
  policy.requireWithin('vm.count', others + 1);

/** Asked before a VM is made, and again before the catalog has it. `others`: the number of other VMs. */
export function requireNew(spec: VmSpec, others: number, policy: Policy): void {
  requireOneMore(others, policy);
  policy.requireWithin('vm.cpus', spec.cpus);
  policy.requireWithin('memory.vm.min', spec.minKib);
  policy.requireWithin('memory.vm.max', spec.maxKib);
  policy.requireWord('network.modes', spec.network);
  if (spec.portForwards.length > 0) policy.require('network.forwards');
  for (const { virtualBytes } of spec.disks) policy.requireWithin('disk.size', virtualBytes);
}

/** `saved`: the arguments of a suspended QEMU, which cannot be started with others (L4). */
export function requireStart(othersRunning: number, saved: readonly string[] | null, policy: Policy): void {
  policy.requireWithin('vm.running', othersRunning + 1);
  if (saved === null) return;
  const after = (option: string): string[] => saved.filter((_, index) => saved[index - 1] === option);
  for (const cpus of after('-smp')) policy.requireWithin('vm.cpus', Number.parseInt(cpus, 10) || 0);
  for (const backend of [...after('-netdev'), ...after('-nic'), ...after('-net')]) {
    policy.requireWord('network.modes', networkOf(backend));
    if (/hostfwd=|guestfwd=/.test(backend)) policy.require('network.forwards');
  }
}

/** The network mode of a QEMU's network backend. */
const networkOf = (backend: string): string =>
  /,restrict=on(?:,|$)/.test(backend) ? 'isolated' : (backend.split(',')[0] ?? '');

const daysMs = (days: number | null): number | null => (days === null ? null : days * DAY_MS);
export const trashMs = (policy: Policy): number =>
  clamp(TRASH_MS, daysMs(policy.least('history.trashDays')), daysMs(policy.most('history.trashDays')));
