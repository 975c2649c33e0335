import { describe, expect, it } from 'vitest';
import { firstAmountKib, freeingOutlook, moreKib, mostFreeKib } from '../../../../renderer/view/freeing.ts';
import { gib, host, vm } from '../../../support/host-figures.ts';

// Each VM has 4 GiB and a minimum of 2.
const two = host([vm({}), vm({})], { availableKib: gib(3.25) });

describe('what could be free', () => {
  it('is what is free and what VMs have above their minimum', () => {
    expect(mostFreeKib(two)).toBe(gib(7.25));
  });

  it('M4: counts nothing of a VM that cannot move, or is off', () => {
    const stuck = [
      vm({ balloon: 'no-driver' }),
      vm({ balloon: 'no-return' }),
      vm({ balloon: 'fixed' }),
      vm({ actualKib: null, targetKib: null, residentKib: null, balloon: 'off' }),
    ];
    expect(mostFreeKib(host(stuck, { availableKib: gib(3) }))).toBe(gib(3));
  });

  it('counts of a VM only what its process has really taken', () => {
    const light = vm({ residentKib: gib(3), overheadKib: gib(0.5) });
    expect(mostFreeKib(host([light], { availableKib: 0 }))).toBe(gib(0.5));
    // M8: nobody would see it come back.
    expect(mostFreeKib(host([vm({ residentKib: null })], { availableKib: 0 }))).toBe(0);
    expect(mostFreeKib(host([vm({ residentKib: gib(1) })], { availableKib: 0 }))).toBe(0);
  });
});

describe('what is offered', () => {
  it('is so much more than is free, in amounts that read well, as far as VMs can give', () => {
    expect(moreKib(two, 1)).toBe(gib(4.3));
    expect(moreKib(two, 2)).toBe(gib(5.3));
    expect(moreKib(two, 4)).toBeNull();
  });

  it('begins with one GiB more, or with less where VMs have less, and never with nothing', () => {
    expect(firstAmountKib(two)).toBe(gib(4.3));
    expect(firstAmountKib(host([vm({ minKib: gib(3.5) })], { availableKib: gib(3.25) }))).toBe(gib(3.7));
    expect(firstAmountKib(host([], { availableKib: gib(5.05) }))).toBe(gib(5));
    expect(firstAmountKib(host([], { availableKib: 0 }))).toBe(gib(0.1));
  });

  it('says what VMs would have to give, and what they cannot', () => {
    expect(freeingOutlook(two, gib(3))).toEqual({ missingKib: 0, lackingKib: 0 });
    expect(freeingOutlook(two, gib(4.25))).toEqual({ missingKib: gib(1), lackingKib: 0 });
    expect(freeingOutlook(two, gib(8.25))).toEqual({ missingKib: gib(5), lackingKib: gib(1) });
  });
});
