// The best share of each VM if moving memory cost nothing (M1, mode `demand`): first every minimum, then each
// working set, a buffer, useful cache, and the rest. Within a tier all VMs are equally satisfied, heavier
// ones sooner. Pure; amounts are in proportion to what there is, so that twice the host is twice the plan.
import { floorMib } from '../../../shared/units.ts';
import { fill, lightestFirst, total } from './fill.ts';
import type { VmModel } from './model.ts';

/** This part of the shared memory is not handed out as rest, so that a sudden need finds some free. */
const KEPT_SHARE = 1 / 32;

export interface Ideal {
  /** Each VM's working set, as far as there is enough for all. */
  readonly working: Float64Array;
  readonly buffer: Float64Array;
  readonly rest: Float64Array;
  /** Left free on purpose. */
  readonly keptKib: number;
  /** The working sets of all VMs do not fit together. */
  readonly isOverloaded: boolean;
}

/** One figure per VM, within its range and at least `least`. Loops, not iterators: thousands of VMs in ms. */
function column(
  vms: readonly VmModel[],
  of: (vm: VmModel) => number,
  least: Float64Array | null = null,
): Float64Array {
  const values = new Float64Array(vms.length);
  for (let index = 0; index < vms.length; index++) {
    const vm = vms[index] as VmModel;
    values[index] = Math.min(topOf(vm), Math.max(vm.minKib, least?.[index] ?? 0, of(vm)));
  }
  return values;
}

const topOf = (vm: VmModel): number => Math.max(vm.minKib, vm.ceilingKib);
/** Stands for the need of a guest that nothing is known of: it is neither starved nor fed. */
const middleOf = (vm: VmModel): number => (vm.minKib + topOf(vm)) / 2;

export function ideal(vms: readonly VmModel[], sharedKib: number): Ideal {
  const weights = new Float64Array(vms.length);
  for (let index = 0; index < vms.length; index++) weights[index] = vms[index]?.weight ?? 1;
  const order = lightestFirst(weights);
  const mins = column(vms, vm => vm.minKib);
  const tops = column(vms, topOf);
  const wanted = column(vms, vm => vm.wants?.workingKib ?? middleOf(vm));
  const buffered = column(vms, vm => vm.wants?.bufferKib ?? 0, wanted);
  const cached = column(vms, vm => vm.wants?.cacheKib ?? 0, buffered);
  const left = (held: Float64Array): number => Math.max(0, sharedKib - total(held));

  // Each VM is entitled to what the proportional plan would give it. A need within the entitlement waits for
  // no other VM's need, so that a VM that claims too much takes from nobody what is theirs.
  const entitled = fill(mins, tops, weights, left(mins), order);
  const guarded = wanted.map((need, index) => Math.min(need, entitled[index] ?? need));
  const working = fill(guarded, wanted, weights, left(guarded), order);
  const buffer = fill(working, buffered, weights, left(working), order);
  const keptKib = Math.max(0, sharedKib * KEPT_SHARE);
  const cache = fill(buffer, cached, weights, left(buffer), order);
  // M4: what a slow balloon holds beyond its needs cannot be got back in time, so it gets none of the rest.
  const fulls = column(vms, vm => (vm.isSlow ? 0 : topOf(vm)), cache);
  const rest = fill(cache, fulls, weights, left(cache) - keptKib, order);
  const inMib = (held: Float64Array): Float64Array =>
    held.map((kib, index) => Math.max(mins[index] ?? 0, floorMib(kib)));
  return {
    working: inMib(working),
    buffer: inMib(buffer),
    rest: inMib(rest),
    keptKib: floorMib(keptKib),
    isOverloaded: total(wanted) > sharedKib,
  };
}
