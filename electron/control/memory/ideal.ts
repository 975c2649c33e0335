// Where everyone would be if memory moved by itself (M1, mode `demand`): first every minimum, then what each works with,
// then a buffer, then useful cache, then the rest. Within a tier everyone is equally satisfied, heavier ones sooner.
// Pure; amounts in proportion to what there is, so that twice the host is twice the plan.
import { floorMib } from '../../../shared/units.ts';
import { fill, lightestFirst, total } from './fill.ts';
import type { VmModel } from './model.ts';

/** Of what is shared this part is not handed out as mere rest: who needs memory suddenly finds some. */
const KEPT_SHARE = 1 / 32;

export interface Ideal {
  /** What it works with, as far as there is enough for all. */
  readonly working: Float64Array;
  readonly buffer: Float64Array;
  readonly rest: Float64Array;
  /** Left free on purpose. */
  readonly keptKib: number;
  /** All that everyone works with does not fit. */
  readonly isOverloaded: boolean;
}

/** One figure of each VM, within its range and not below `least`. Loops, not iterators: thousands of VMs are planned in ms. */
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
/** A guest nothing is known of is neither starved nor fed. */
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

  // What the proportional plan would give is everyone's entitlement: up to it nobody's need waits for another's, so
  // that one who claims too much takes from nobody what is theirs.
  const entitled = fill(mins, tops, weights, left(mins), order);
  const guarded = wanted.map((need, index) => Math.min(need, entitled[index] ?? need));
  const working = fill(guarded, wanted, weights, left(guarded), order);
  const buffer = fill(working, buffered, weights, left(working), order);
  const keptKib = Math.max(0, sharedKib * KEPT_SHARE);
  const cache = fill(buffer, cached, weights, left(buffer), order);
  // M4: what a slow balloon holds beyond its needs nobody gets back in time.
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
