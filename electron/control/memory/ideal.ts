// Where everyone would be if memory moved by itself (M1, mode `demand`): first every minimum, then what each works with,
// then a buffer, then useful cache, then the rest. Within a tier everyone is equally satisfied, heavier ones sooner.
// Pure; amounts in proportion to what there is, so that twice the host is twice the plan.
import { floorMib } from '../../../shared/units.ts';
import { fill, total } from './fill.ts';
import type { VmModel } from './model.ts';

/** Of what is shared this part is not handed out as cache or rest: who needs memory suddenly finds some. */
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

/** The levels a VM asks for, each within its range and none below the one before it. */
function levelsOf(vm: VmModel): readonly [number, number, number] {
  const top = Math.max(vm.minKib, vm.ceilingKib);
  const middle = (vm.minKib + top) / 2;
  // A guest that never told anything is neither starved nor fed.
  const { workingKib, bufferKib, cacheKib } = vm.wants ?? {
    workingKib: middle,
    bufferKib: middle,
    cacheKib: middle,
  };
  const working = Math.min(top, Math.max(vm.minKib, workingKib));
  const buffer = Math.min(top, Math.max(working, bufferKib));
  return [working, buffer, Math.min(top, Math.max(buffer, cacheKib))];
}

export function ideal(vms: readonly VmModel[], sharedKib: number): Ideal {
  const weights = Float64Array.from(vms, vm => vm.weight);
  const mins = Float64Array.from(vms, vm => vm.minKib);
  const tops = Float64Array.from(vms, vm => Math.max(vm.minKib, vm.ceilingKib));
  const levels = vms.map(levelsOf);
  const level = (n: 0 | 1 | 2): Float64Array => Float64Array.from(levels, three => three[n]);
  const wanted = level(0);
  const left = (held: Float64Array): number => Math.max(0, sharedKib - total(held));

  // What the proportional plan would give is everyone's entitlement: up to it nobody's need waits for another's, so
  // that one who claims too much takes from nobody what is theirs.
  const entitled = fill(mins, tops, weights, left(mins));
  const guarded = wanted.map((need, index) => Math.min(need, entitled[index] ?? need));
  const working = fill(guarded, wanted, weights, left(guarded));
  const buffer = fill(working, level(1), weights, left(working));
  const keptKib = Math.max(0, sharedKib * KEPT_SHARE);
  const cache = fill(buffer, level(2), weights, left(buffer) - keptKib);
  const rest = fill(cache, tops, weights, left(cache) - keptKib);
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
