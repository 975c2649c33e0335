import { describe, expect, it } from 'vitest';
import { fill } from '../../../../electron/control/memory/fill.ts';
import { ideal } from '../../../../electron/control/memory/ideal.ts';
import type { HostModel, VmModel, Wants } from '../../../../electron/control/memory/model.ts';
import { type Plan, plan, sharedKib } from '../../../../electron/control/memory/plan.ts';
import { vmIdOf } from '../../../support/memory-models.ts';

const MIB = 1024;
const GIB = 1024 * MIB;
const NOW_MS = 100_000;

const wants = (workingMib: number, isUrgent = false): Wants => ({
  workingKib: workingMib * MIB,
  bufferKib: workingMib * 1.2 * MIB,
  cacheKib: workingMib * 1.3 * MIB,
  isUrgent,
});
const vm = (n: number, atMib: number, change: Partial<VmModel> = {}): VmModel => ({
  id: vmIdOf(n),
  name: `vm${n}`,
  minKib: 512 * MIB,
  ceilingKib: 4 * GIB,
  bootKib: 4 * GIB,
  targetKib: atMib * MIB,
  actualKib: atMib * MIB,
  mayHoldKib: 0,
  usedKib: null,
  overheadKib: 0,
  weight: 100,
  wants: wants(600),
  shrankAtMs: null,
  grewAtMs: null,
  lateKib: 0,
  isSlow: false,
  hasRefused: false,
  held: null,
  ...change,
});
const planned = (budgetMib: number, vms: VmModel[]): Plan => {
  const host: HostModel = { mode: 'demand', budgetKib: budgetMib * MIB, leasedKib: 0, waitingKib: 0, vms };
  return plan(host, NOW_MS);
};
const of = (made: Plan, n: number) => made.targets.find(one => one.id === vmIdOf(n));
const mibOf = (made: Plan, n: number): number => (of(made, n)?.targetKib ?? 0) / MIB;

describe('memory by need', () => {
  it('M1: who pages gets what it works with and its buffer, from who has spare memory, and both are told why', () => {
    const made = planned(4096, [vm(1, 2000), vm(2, 2000, { wants: wants(2400, true) })]);
    expect(mibOf(made, 2)).toBe(2880);
    expect(mibOf(made, 1)).toBeLessThan(1300);
    expect(mibOf(made, 1)).toBeGreaterThan(720);
    expect([of(made, 1)?.reason, of(made, 2)?.reason]).toEqual(['gives', 'urgent']);
    // Served first.
    expect(made.targets[0]?.id).toBe(vmIdOf(2));
  });

  it('M1: nobody is moved while everyone has a buffer', () => {
    const made = planned(4000, [vm(1, 1000), vm(2, 2900, { wants: wants(2500) })]);
    expect(made.targets.map(one => one.reason)).toEqual(['stays', 'stays']);
  });

  it('M1: too little for all: what the proportional plan would give is each one’s own, a hog waits with the rest', () => {
    const made = planned(3072, [
      vm(1, 1536, { wants: wants(1400) }),
      vm(2, 1536, { wants: wants(100_000, true) }),
    ]);
    expect(mibOf(made, 1)).toBeGreaterThanOrEqual(1400);
    // Without the guard the same claim would take from the modest one.
    const [mins, claims] = [new Float64Array([512, 512]), new Float64Array([1400, 4096])];
    expect(fill(mins, claims, new Float64Array([1, 1]), 2048)[0]).toBeLessThan(1000);
  });

  it('M4: what a slow guest owes comes too late: another gives it meanwhile', () => {
    const late = vm(1, 1000, { actualKib: 3000 * MIB, lateKib: 1900 * MIB });
    const others = [vm(2, 2500), vm(3, 1500, { wants: wants(1900, true) })];
    const withLate = planned(5100, [late, ...others]);
    const without = planned(5100, [{ ...late, lateKib: 0 }, ...others]);
    expect(mibOf(withLate, 2)).toBeLessThan(mibOf(without, 2));
  });

  it.each(['isSlow', 'hasRefused'] as const)(
    'M4: others give what one that %s owes while a start waits, not for what is kept beside those that started',
    trait => {
      const owing = vm(1, 500, { actualKib: 1000 * MIB, [trait]: true });
      const kept: HostModel = {
        mode: 'demand',
        budgetKib: 4 * GIB,
        leasedKib: 300 * MIB,
        waitingKib: 0,
        vms: [owing, vm(2, 2500)],
      };
      expect(sharedKib(kept) - sharedKib({ ...kept, waitingKib: 300 * MIB })).toBe(500 * MIB);
      expect(sharedKib(kept)).toBe(sharedKib({ ...kept, vms: [{ ...owing, [trait]: false }, vm(2, 2500)] }));
    },
  );

  it('M1: who was just given memory keeps it, who just gave is not handed spare memory', () => {
    const short = vm(2, 1000, { wants: wants(900) });
    const given = vm(1, 3000, { grewAtMs: NOW_MS - 5000 });
    expect(mibOf(planned(4000, [given, short]), 1)).toBe(3000);
    expect(mibOf(planned(4000, [{ ...given, grewAtMs: null }, short]), 1)).toBeLessThan(3000);
    const gave = vm(1, 1000, { shrankAtMs: NOW_MS - 5000 });
    expect(mibOf(planned(4000, [gave]), 1)).toBe(1000);
    expect(mibOf(planned(4000, [{ ...gave, shrankAtMs: null }]), 1)).toBeGreaterThan(3000);
  });

  it('M1: a weight of three is satisfied three times as soon', () => {
    const hungry = (n: number, weight: number) => vm(n, 1000, { weight, wants: wants(4096, true) });
    const made = planned(2800, [hungry(1, 100), hungry(2, 300)]);
    expect(mibOf(made, 2) - 512).toBeGreaterThan(2.5 * (mibOf(made, 1) - 512));
  });

  it('M1: a guest that never told anything gets the middle of its range, and what is spare', () => {
    const blind = vm(1, 3000, { wants: null });
    const made = planned(4096, [blind, vm(2, 1000, { wants: wants(4096, true) })]);
    expect(mibOf(made, 1)).toBeGreaterThanOrEqual(1700);
    expect(mibOf(made, 1)).toBeLessThanOrEqual((512 + 4096) / 2);
  });

  it('M1: equal weights are equally satisfied, to the MiB, where there is not enough for all', () => {
    const level = (working: number, buffer: number): Wants => ({
      workingKib: working * MIB,
      bufferKib: buffer * MIB,
      cacheKib: buffer * MIB,
      isUrgent: false,
    });
    const vms = [vm(1, 1000, { wants: level(1000, 2000) }), vm(2, 1000, { wants: level(800, 1300) })];
    const { buffer } = ideal(vms, 2400 * MIB);
    const [first, second] = [...buffer].map(kib => kib / MIB) as [number, number];
    // 600 MiB for buffers of 1500.
    expect(Math.abs(first - (1000 + 0.4 * 1000))).toBeLessThanOrEqual(1);
    expect(Math.abs(second - (800 + 0.4 * 500))).toBeLessThanOrEqual(1);
  });

  it('M1: useful cache comes before the rest', () => {
    const cached = { ...wants(600), cacheKib: 1500 * MIB };
    const { rest } = ideal([vm(1, 1000, { wants: cached }), vm(2, 1000)], 2300 * MIB);
    expect(((rest[0] ?? 0) - (rest[1] ?? 0)) / MIB).toBeGreaterThan(600);
  });

  it('M4: what a slow balloon has beyond its needs it gives while nobody waits, and none of the rest goes to it', () => {
    const slow = vm(1, 3000, { isSlow: true });
    const idle = vm(2, 1000);
    const drained = planned(4096, [slow, idle]);
    // 600 with its buffer and its cache.
    expect(mibOf(drained, 1)).toBe(780);
    expect(of(drained, 1)?.reason).toBe('gives');
    // What will come is not given to anyone before it is there.
    expect(mibOf(drained, 2)).toBe(1000);
    expect(mibOf(planned(4096, [{ ...slow, isSlow: false }, idle]), 1)).toBe(3000);
    const after = planned(4096, [vm(1, 780, { isSlow: true }), idle]);
    expect(mibOf(after, 1)).toBe(780);
    expect(mibOf(after, 2)).toBeGreaterThan(3000);
  });

  it('M1: in overload who was just moved is left alone for a while, and small changes always', () => {
    const [rich, poor] = [vm(1, 2400, { wants: wants(3000) }), vm(2, 600, { wants: wants(3000) })];
    const moved = (atMs: number | null) => mibOf(planned(3000, [rich, { ...poor, grewAtMs: atMs }]), 2);
    expect(moved(NOW_MS - 5_000)).toBe(600);
    expect(moved(NOW_MS - 16_000)).toBeGreaterThan(1000);
    expect(mibOf(planned(3000, [rich, { ...poor, shrankAtMs: NOW_MS - 5_000 }]), 2)).toBe(600);
    const nearly = [vm(1, 1560, { wants: wants(3000) }), vm(2, 1440, { wants: wants(3000) })];
    expect(planned(3060, nearly).targets.map(one => one.reason)).toEqual(['stays', 'stays']);
  });

  it('M1: who was just given memory gives it up all the same where another suffers', () => {
    const given = vm(1, 3000, { grewAtMs: NOW_MS - 5000 });
    const short = (isUrgent: boolean) => vm(2, 1000, { wants: wants(900, isUrgent) });
    expect(mibOf(planned(4000, [given, short(false)]), 1)).toBe(3000);
    expect(mibOf(planned(4000, [given, short(true)]), 1)).toBeLessThan(3000);
  });
});
