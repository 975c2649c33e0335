// Hosts and their VMs drawn at random, as a manager may meet them: sizes from nothing to 2^43 MiB, ranges lowered below what
// a VM has, every reason not to be moved.
import fc from 'fast-check';
import {
  committedKib,
  type Held,
  type HostModel,
  servedInNeed,
  type VmModel,
  type Wants,
} from '../../electron/control/memory/model.ts';
import type { VmId } from '../../shared/ids.ts';

export const MIB = 1024;
export const NOW_MS = 1_000_000;

export const amounts = fc.oneof(fc.nat(12_288), fc.constantFrom(0, 2 ** 30, 2 ** 43));
const anyWants: fc.Arbitrary<Wants | null> = fc.option(
  fc
    .record({ working: amounts, buffer: fc.nat(1024), cache: fc.nat(2048), isUrgent: fc.boolean() })
    .map(({ working, buffer, cache, isUrgent }) => ({
      workingKib: working * MIB,
      bufferKib: (working + buffer) * MIB,
      cacheKib: (working + buffer + cache) * MIB,
      isUrgent,
    })),
);
const HELD = [
  'booting',
  'paused',
  'quarantined',
  'silent',
  'no-balloon',
  'resting',
  'unbalanced',
] as const satisfies readonly Held[];
const anyMoment = fc.option(fc.nat(60_000).map(ago => NOW_MS - ago));
const anyVm = fc
  .record({
    min: fc.integer({ min: 64, max: 2048 }),
    range: fc.integer({ min: 0, max: 8192 }),
    actual: fc.option(fc.nat(12_288)),
    target: fc.option(fc.nat(12_288)),
    // What it was started with, where its maximum was lowered since; what it may have grown to unseen.
    moreBoot: fc.oneof(fc.constant(0), fc.nat(4096)),
    mayHold: fc.oneof(fc.constant(0), fc.nat(12_288)),
    overhead: fc.nat(300),
    weight: fc.constantFrom(1, 100, 100, 100, 300, 10_000),
    wants: anyWants,
    shrankAtMs: anyMoment,
    grewAtMs: anyMoment,
    late: fc.nat(512),
    isSlow: fc.boolean(),
    hasRefused: fc.boolean(),
    held: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(...HELD) },
    ),
  })
  .map(({ min, range, moreBoot, mayHold, actual, target, overhead, late, ...rest }) => {
    const top = min + range;
    const boot = top + moreBoot;
    const within = (mib: number): number => Math.min(mib, boot) * MIB;
    return {
      ...rest,
      name: 'vm',
      minKib: min * MIB,
      ceilingKib: top * MIB,
      bootKib: boot * MIB,
      actualKib: actual === null ? null : within(actual),
      targetKib: target === null ? null : within(target),
      mayHoldKib: within(mayHold),
      usedKib: null,
      overheadKib: overhead * MIB,
      lateKib: late * MIB,
    };
  });

export const vmIdOf = (n: number): VmId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as VmId;

/** Anything, or from a little less than all minimums to a little more than all maximums, where most is decided. */
const anyBudget = fc.oneof(
  fc.nat(40_000).map(mib => () => mib * MIB),
  fc.integer({ min: -10, max: 110 }).map(percent => (vms: readonly VmModel[]) => {
    const sum = (of: (vm: VmModel) => number): number => vms.reduce((all, vm) => all + of(vm), 0);
    const rangesKib = sum(vm => (vm.held === null ? Math.max(0, vm.ceilingKib - vm.minKib) : 0));
    const leastKib = sum(vm => (vm.held === null ? vm.minKib + vm.overheadKib : committedKib(vm)));
    return Math.max(0, leastKib + Math.round((rangesKib / MIB) * (percent / 100)) * MIB);
  }),
);

export const anyHost = (mode: HostModel['mode']): fc.Arbitrary<HostModel> =>
  fc
    .record({
      drawn: fc.array(anyVm, { maxLength: 8 }),
      budget: anyBudget,
      leased: fc.oneof(fc.constant(0), fc.nat(4096)),
      isWaiting: fc.boolean(),
    })
    .map(({ drawn, budget, leased, isWaiting }) => {
      const vms = drawn.map((vm, index) => servedInNeed({ ...vm, id: vmIdOf(index) } as VmModel));
      const leasedKib = leased * MIB;
      return {
        mode,
        budgetKib: budget(vms) + leasedKib,
        leasedKib,
        waitingKib: isWaiting ? leasedKib : 0,
        vms,
      };
    });
