// How VMs come into the simulated world: new, or from where they were saved.
import type { VmSpec } from '../../../shared/vm.ts';
import type { Seeded } from '../../support/seeded.ts';
import { KERNEL, SimGuest } from './guest.ts';
import { loadOf, overheadMib, type Running, type Starting, SWAP_MIB } from './running.ts';
import { specOf } from './specs.ts';

const MIB = 1024;

export function newSpec(random: Seeded, n: number, balloon: boolean): VmSpec {
  const minMib = 256 + 64 * random.below(12);
  const maxMib = minMib + 64 * random.below(40);
  const weight = random.pick([100, 100, 300]);
  return { ...specOf(n, { minMib, maxMib, weight }), balloon };
}

type Born = Pick<Running, 'guest' | 'leastMib'>;

export function newGuest(
  random: Seeded,
  { spec, kind }: Starting,
  { bootMib, nowS, isRamp }: { bootMib: number; nowS: number; isRamp: boolean },
): Born {
  const { load, peakMib } = loadOf(random, { minMib: spec.minKib / MIB, bootMib, isRamp });
  const setup = {
    spec,
    bootMib,
    kind,
    bootSeconds: 2 + random.below(15),
    swapMib: SWAP_MIB,
    // Nobody can know of more than the usual overhead before it was measured.
    overheadMib: Math.round(overheadMib(bootMib) * (0.97 + random.below(100) / 100)),
    load,
    random,
  };
  return { guest: new SimGuest(setup, nowS), leastMib: KERNEL + peakMib - SWAP_MIB };
}

/** Its memory is read before the guest goes on. */
export function savedGuest(random: Seeded, { guest, leastMib }: Running, nowS: number): Born {
  const setup = { ...guest.setup, bootSeconds: (1 + random.below(30)) / 10, saved: guest };
  return { guest: new SimGuest(setup, nowS), leastMib };
}
