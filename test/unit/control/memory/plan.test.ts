import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actuate } from '../../../../electron/control/memory/actuate.ts';
import { budgetOf, checkPolicy, defaultReserveKib } from '../../../../electron/control/memory/budget.ts';
import {
  committedKib,
  type HostModel,
  poolKib,
  promisedKib,
  totalCommittedKib,
  type VmModel,
} from '../../../../electron/control/memory/model.ts';
import { plan, sharedKib } from '../../../../electron/control/memory/plan.ts';
import {
  asked,
  foldProgress,
  freshProgress,
  isQuarantined,
  isResting,
} from '../../../../electron/control/memory/progress.ts';
import { checkRange } from '../../../../electron/control/memory/range.ts';
import { doneSentence, planSentence } from '../../../../electron/control/memory/words.ts';
import type { VmId } from '../../../../shared/ids.ts';
import { contract } from '../../../../shared/rpc/contract.ts';

const MIB = 1024;
const GIB = 1024 * MIB;
const uuid = (n: number): VmId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as VmId;
const vm = (n: number, change: Partial<VmModel> = {}): VmModel => ({
  id: uuid(n),
  name: `vm${n}`,
  minKib: 512 * MIB,
  ceilingKib: 2 * GIB,
  bootKib: 2 * GIB,
  targetKib: 2 * GIB,
  actualKib: 2 * GIB,
  usedKib: 400 * MIB,
  overheadKib: 0,
  weight: 100,
  mayHoldKib: 0,
  wants: null,
  shrankAtMs: null,
  grewAtMs: null,
  lateKib: 0,
  isSlow: false,
  hasRefused: false,
  held: null,
  ...change,
});
const host = (budgetKib: number, vms: VmModel[], leasedKib = 0): HostModel => ({
  mode: 'proportional',
  budgetKib,
  leasedKib,
  waitingKib: leasedKib,
  vms,
});

const anyVm = fc
  .record({
    min: fc.integer({ min: 64, max: 2048 }),
    range: fc.integer({ min: 0, max: 4096 }),
    actual: fc.nat(8192),
    target: fc.option(fc.nat(8192)),
    overhead: fc.nat(300),
    mayHoldKib: fc.constant(0),
    held: fc.constantFrom(null, null, null, 'booting', 'paused', 'no-balloon'),
  })
  .map(
    ({ min, range, actual, target, overhead, held }) =>
      ({
        minKib: min * MIB,
        ceilingKib: (min + range) * MIB,
        bootKib: (min + range) * MIB,
        actualKib: Math.min(actual, min + range) * MIB,
        targetKib: target === null ? null : Math.min(target, min + range) * MIB,
        overheadKib: overhead * MIB,
        held,
      }) as Partial<VmModel>,
  );
const anyHost = fc
  .record({ vms: fc.array(anyVm, { maxLength: 8 }), budget: fc.nat(32768), leased: fc.nat(4096) })
  .map(({ vms, budget, leased }) =>
    host(
      budget * MIB,
      vms.map((change, index) => vm(index, change)),
      leased * MIB,
    ),
  );

describe('the plan', () => {
  it('M1: target = r·min + (1 − r)·max, the same r for everyone', () => {
    const { compressionRatio, targets } = plan(
      host(3 * GIB, [vm(1), vm(2, { minKib: GIB, ceilingKib: 3 * GIB, bootKib: 3 * GIB })]),
      0,
    );
    // Σmax 5, Σmin 1.5, budget 3: r = 2 / 3.5
    expect(compressionRatio).toBeCloseTo(2 / 3.5, 5);
    expect(targets.map(target => target.targetKib)).toEqual([1170 * MIB, 1902 * MIB]);
  });

  it('M1: who uses less than its target is named, and what its balloon takes', () => {
    const planned = plan(host(3 * GIB, [vm(1, { usedKib: 300 * MIB }), vm(2, { usedKib: 1900 * MIB })]), 0);
    expect(planned.belowTarget).toEqual([uuid(1)]);
    expect(planned.takenKib).toBe(GIB);
  });

  it('M1, M2: integers in whole MiB, within the range, within the budget, whatever the order', () => {
    fc.assert(
      fc.property(anyHost, model => {
        const planned = plan(model, 0);
        const shared = sharedKib(model);
        let sum = 0;
        for (const { id, targetKib } of planned.targets) {
          const one = model.vms.find(candidate => candidate.id === id) as VmModel;
          expect(targetKib).toBeGreaterThanOrEqual(one.minKib);
          expect(targetKib).toBeLessThanOrEqual(Math.max(one.minKib, one.ceilingKib));
          expect(Number.isInteger(targetKib)).toBe(true);
          sum += targetKib;
        }
        if (planned.shortfallKib === 0) expect(sum).toBeLessThanOrEqual(Math.max(shared, 0));
        const reversed = plan({ ...model, vms: [...model.vms].reverse() }, 0);
        expect(new Map(reversed.targets.map(target => [target.id, target.targetKib]))).toEqual(
          new Map(planned.targets.map(target => [target.id, target.targetKib])),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('M1: more budget never takes from anyone', () => {
    fc.assert(
      fc.property(anyHost, fc.nat(4096), (model, more) => {
        const [less, rich] = [plan(model, 0), plan({ ...model, budgetKib: model.budgetKib + more * MIB }, 0)];
        // Rounding hands single MiB out by fraction: one may move between equals.
        for (const [index, target] of less.targets.entries())
          expect((rich.targets[index]?.targetKib ?? 0) + MIB).toBeGreaterThanOrEqual(target.targetKib);
      }),
      { numRuns: 500 },
    );
  });
});

describe('commitments and commands', () => {
  it('M2: a VM counts as the most it may hold: actual or promised, all of -m while booting or unknown', () => {
    expect(promisedKib(vm(1, { actualKib: GIB, targetKib: 3 * GIB }))).toBe(3 * GIB);
    expect(promisedKib(vm(1, { actualKib: GIB, targetKib: MIB }))).toBe(GIB);
    expect(promisedKib(vm(1, { actualKib: MIB, targetKib: MIB, held: 'booting' }))).toBe(2 * GIB);
    expect(promisedKib(vm(1, { actualKib: null, targetKib: MIB }))).toBe(2 * GIB);
    expect(committedKib(vm(1, { overheadKib: 7 }))).toBe(2 * GIB + 7);
  });

  it('M3: nothing is given before its release has been observed: commands never overdraw the budget', () => {
    fc.assert(
      fc.property(anyHost, model => {
        const commands = actuate(model, plan(model, 0), { deadbandKib: 0 });
        const after = model.vms.map(one => {
          const command = commands.find(candidate => candidate.id === one.id);
          return command === undefined ? one : { ...one, targetKib: command.targetKib };
        });
        const before = poolKib(model);
        // Even if every guest jumps to its target at once.
        if (before >= 0) expect(poolKib({ ...model, vms: after })).toBeGreaterThanOrEqual(0);
        else
          expect(totalCommittedKib({ ...model, vms: after })).toBeLessThanOrEqual(totalCommittedKib(model));
      }),
      { numRuns: 1000 },
    );
  });

  it('M3: with the mechanism off the same property breaks', () => {
    const model = host(3 * GIB, [vm(1), vm(2, { targetKib: 512 * MIB, actualKib: 512 * MIB })]);
    const commands = actuate(model, plan(model, 0), { deadbandKib: 0, giveBeforeFree: true });
    const vms = model.vms.map(one => ({
      ...one,
      targetKib: commands.find(command => command.id === one.id)?.targetKib ?? one.targetKib,
    }));
    expect(poolKib({ ...model, vms })).toBeLessThan(0);
  });

  it('M3: who lacks its minimum is not kept waiting by a few MiB that others keep', () => {
    const at = (n: number, mib: number) => vm(n, { targetKib: mib * MIB, actualKib: mib * MIB });
    const deadbandKib = 8 * MIB;
    const crumbs = host(4 * 512 * MIB, [at(1, 300), at(2, 518), at(3, 518), at(4, 518)]);
    const takes = actuate(crumbs, plan(crumbs, 0), { deadbandKib });
    expect(takes.map(({ id, targetKib, kind }) => [id, targetKib / MIB, kind])).toEqual(
      [2, 3, 4].map(n => [uuid(n), 512, 'take']),
    );
    const swept = { ...crumbs, vms: [at(1, 300), at(2, 512), at(3, 512), at(4, 512)] };
    expect(actuate(swept, plan(swept, 0), { deadbandKib })).toEqual([
      { id: uuid(1), targetKib: 512 * MIB, kind: 'give' },
    ]);
    // Nobody lacks anything: a few MiB are not worth a balloon's work.
    const fed = { ...crumbs, vms: [at(1, 506), at(2, 518)].map(one => ({ ...one, minKib: 500 * MIB })) };
    const small = { ...fed, budgetKib: 1024 * MIB };
    expect(actuate(small, plan(small, 0), { deadbandKib })).toEqual([]);
  });

  it('M3: a maximum that is lowered by less than is worth a balloon’s work is obeyed all the same', () => {
    const [asked, ceilingKib] = [520 * MIB, 513 * MIB + 4];
    const above = vm(1, { minKib: 400 * MIB, ceilingKib, targetKib: asked, actualKib: asked });
    const model = host(4 * GIB, [above]);
    for (const mode of ['proportional', 'demand'] as const) {
      const lowered = { ...model, mode };
      expect(actuate(lowered, plan(lowered, 0), { deadbandKib: 8 * MIB })).toEqual([
        { id: uuid(1), targetKib: 513 * MIB, kind: 'take' },
      ]);
    }
  });

  it('M1: what comes back in trickles goes to whoever is furthest behind, and so to all alike', () => {
    // The third gives 32 MiB a round, as a slow balloon does; the others are behind by as much as they please.
    const behind = (n: number, mib: number) => vm(n, { targetKib: mib * MIB, actualKib: mib * MIB });
    let vms = [behind(1, 600), behind(2, 520), vm(3, { targetKib: 512 * MIB, actualKib: 2048 * MIB })];
    const budgetKib = vms.reduce((sum, one) => sum + committedKib(one), 0);
    for (let round = 0; round < 16; round++) {
      const give = (one: VmModel): VmModel =>
        one.id === uuid(3) ? { ...one, actualKib: (one.actualKib ?? 0) - 32 * MIB } : one;
      const model = host(budgetKib, vms.map(give));
      const commands = actuate(model, plan(model, 0), { deadbandKib: 8 * MIB });
      vms = model.vms.map(one => {
        const command = commands.find(({ id, kind }) => id === one.id && kind === 'give');
        return command === undefined
          ? one
          : { ...one, targetKib: command.targetKib, actualKib: command.targetKib };
      });
    }
    const [first, second] = vms.map(one => (one.actualKib ?? 0) / MIB);
    expect(Math.abs((first ?? 0) - (second ?? 0))).toBeLessThanOrEqual(32);
    expect((first ?? 0) + (second ?? 0)).toBe(600 + 520 + 16 * 32);
  });

  it('M3: no command below min, no target above max', () => {
    fc.assert(
      fc.property(anyHost, model => {
        for (const { id, targetKib } of actuate(model, plan(model, 0), { deadbandKib: 0 })) {
          const one = model.vms.find(candidate => candidate.id === id) as VmModel;
          expect(targetKib).toBeGreaterThanOrEqual(one.minKib);
          expect(targetKib).toBeLessThanOrEqual(Math.max(one.ceilingKib, one.minKib));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('guests that do not do as asked', () => {
  it('M3: one that holds a part of a MiB below its minimum is given all of its minimum', () => {
    const held = 339 * MIB + 318;
    const only = vm(1, {
      minKib: 768 * MIB,
      ceilingKib: 768 * MIB,
      bootKib: 768 * MIB,
      actualKib: held,
      targetKib: held,
    });
    const model: HostModel = {
      mode: 'demand',
      budgetKib: 800 * MIB,
      leasedKib: 0,
      waitingKib: 0,
      vms: [only],
    };
    expect(actuate(model, plan(model, 0), { deadbandKib: 0 })).toEqual([
      { id: uuid(1), targetKib: 768 * MIB, kind: 'give' },
    ]);
  });

  it('M4: no movement for five seconds is a refusal, left alone longer each time, forgiven when it moves', () => {
    let progress = asked(freshProgress(2 * GIB, 0), null, GIB, 0);
    progress = foldProgress(progress, GIB, 2 * GIB, 4_900);
    expect(progress.state).toBe('obeying');
    progress = foldProgress(progress, GIB, 2 * GIB, 5_000);
    expect(progress.state).toBe('refusing');
    expect(isQuarantined(progress, 34_000)).toBe(true);
    expect(isQuarantined(progress, 36_000)).toBe(false);
    progress = foldProgress(asked(progress, 2 * GIB, GIB, 36_000), GIB, 2 * GIB, 36_000);
    progress = foldProgress(progress, GIB, 2 * GIB, 41_001);
    expect(isQuarantined(progress, 41_001 + 59_000)).toBe(true);
    progress = foldProgress(progress, GIB, GIB, 42_000);
    expect(progress).toMatchObject({ state: 'obeying', strikes: 0 });
  });

  it('M4: a plan that changes its mind gives a stuck guest no new time, unless the way turns', () => {
    let progress = asked(freshProgress(2 * GIB, 0), null, GIB, 0);
    progress = foldProgress(progress, GIB, 2 * GIB, 4_000);
    const further = asked(progress, GIB, GIB / 2, 4_000);
    expect(foldProgress(further, GIB / 2, 2 * GIB, 5_000).state).toBe('refusing');
    const turned = asked(progress, GIB, 3 * GIB, 4_000);
    expect(foldProgress(turned, 3 * GIB, 2 * GIB, 5_000).state).toBe('obeying');
  });

  it('M4: a slow guest stays a donor, and says so', () => {
    let progress = asked(freshProgress(2 * GIB, 0), null, GIB, 0);
    for (let second = 1; second <= 8; second++)
      progress = foldProgress(progress, GIB, 2 * GIB - second * 2 * MIB, second * 1000);
    expect(progress.state).toBe('slow');
    expect(isQuarantined(progress, 8_000)).toBe(false);
  });

  it('M4: a guest that takes memory back by itself is not fought', () => {
    let progress = foldProgress(freshProgress(GIB, 0), GIB, GIB, 0);
    progress = foldProgress(progress, GIB, GIB + 100 * MIB, 1_000);
    expect(isResting(progress, 20_000)).toBe(true);
    expect(isResting(progress, 22_000)).toBe(false);
  });
});

describe('limits', () => {
  it('M10: the host reserve is never planned away, and more is kept when the host itself uses more', () => {
    const policy = {
      mode: 'proportional',
      reserveKib: defaultReserveKib(16 * GIB),
      budgetKib: null,
      capKib: null,
    } as const;
    expect(budgetOf(policy, 16 * GIB, GIB)).toBe(12 * GIB);
    expect(budgetOf(policy, 16 * GIB, 8 * GIB)).toBeLessThanOrEqual(8 * GIB);
    expect(budgetOf({ ...policy, budgetKib: GIB }, 16 * GIB, GIB)).toBe(GIB);
  });

  it.each([
    [
      { minKib: 2 * GIB, maxKib: GIB },
      'memory.bad-range',
      'The minimum, 2.0 GiB, is above the maximum, 1.0 GiB.',
    ],
    [{ minKib: Number.NaN, maxKib: GIB }, 'memory.bad-range', 'The minimum or the maximum is not a number.'],
    [{ minKib: GIB, maxKib: Number.NaN }, 'memory.bad-range', 'The minimum or the maximum is not a number.'],
    [
      { minKib: 10 * MIB, maxKib: GIB },
      'memory.bad-range',
      'The minimum is 10 MiB; a VM needs at least 64 MiB.',
    ],
    [
      { minKib: GIB, maxKib: 9 * GIB },
      'memory.over-host',
      'The maximum, 9.0 GiB, is more than VMs may use on this computer: 8.0 GiB.',
    ],
    [
      { minKib: GIB, maxKib: 7 * GIB },
      'memory.over-cap',
      'The maximum, 7.0 GiB, is above the limit of 6.0 GiB per VM.',
    ],
  ])('M10: %o is refused with %s and a sentence', (range, code, what) => {
    expect(
      checkRange(range, { budgetKib: 8 * GIB, capKib: code === 'memory.over-host' ? null : 6 * GIB }),
    ).toMatchObject({ ok: false, refusal: { code, what } });
  });

  it('M10: a policy under which no VM could start is refused', () => {
    const policy = { mode: 'proportional', reserveKib: GIB, budgetKib: null, capKib: null } as const;
    const code = (change: object) => {
      const checked = checkPolicy({ ...policy, ...change }, 16 * GIB);
      return checked.ok ? 'ok' : checked.refusal.code;
    };
    expect(code({ reserveKib: 12 * GIB, budgetKib: 64 * MIB, capKib: 64 * MIB })).toBe('ok');
    for (const change of [
      { reserveKib: 13 * GIB },
      { budgetKib: 63 * MIB },
      { budgetKib: 0 },
      { capKib: 512 },
    ])
      expect(code(change), JSON.stringify(change)).toBe('memory.bad-range');
  });

  it('M7: a sentence says cause, moves and result, and in the proportional mode what balloons are to take', () => {
    const moves = [{ vmName: 'dev', fromKib: 6.4 * GIB, toKib: 3.4 * GIB }];
    const plan = { mode: 'proportional', compressionRatio: 0.42, shortfallKib: 0 } as const;
    const nothing = { belowTarget: [], takenKib: 0, givenTo: [] };
    expect(planSentence('work started', moves, plan, nothing)).toBe(
      'work started: dev 6.4 GiB → 3.4 GiB. Everyone sits at 58 % of its range.',
    );
    const taking = { belowTarget: ['dev', 'web'], takenKib: 3 * GIB, givenTo: ['work'] };
    expect(planSentence('work started', moves, plan, taking)).toContain(
      ' Below target: dev, web. Balloons are to take 3.0 GiB for work.',
    );
    expect(planSentence('work started', moves, { ...plan, mode: 'demand' }, taking)).not.toContain(
      'Balloons',
    );
  });

  it('M8: what balloons took and what of it came back are two figures', () => {
    const moves = [{ vmName: 'dev', fromKib: 2 * GIB, toKib: GIB }];
    const done = (returnedKib: number | null) => doneSentence(moves, 2, { takenKib: GIB, returnedKib });
    expect(done(0)).toBe(
      'Done in 2.0 s: dev 2.0 GiB → 1.0 GiB. Balloons took 1.0 GiB, 0 MiB of it came back to this computer.',
    );
    expect(done(null)).toBe('Done in 2.0 s: dev 2.0 GiB → 1.0 GiB. Balloons took 1.0 GiB.');
  });

  it('a weight is a whole number from 1 to 10,000', () => {
    const { params } = contract.methods['memory.set-balance'];
    const isTaken = (weight: unknown): boolean =>
      params.safeParse({ vmId: uuid(1), balanced: true, weight }).success;
    for (const weight of [1, 100, 10_000]) expect(isTaken(weight), String(weight)).toBe(true);
    for (const weight of [0, -1, 10_001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '100', null])
      expect(isTaken(weight), String(weight)).toBe(false);
  });
});
