// How well the host itself is off, and what that does to VMs.
import { describe, expect, it } from 'vitest';
import { actuate } from '../../../../electron/control/memory/actuate.ts';
import {
  CALM,
  foldHostState,
  type HostSigns,
  stateOf,
} from '../../../../electron/control/memory/host-state.ts';
import type { HostModel, VmModel } from '../../../../electron/control/memory/model.ts';
import { plan } from '../../../../electron/control/memory/plan.ts';
import { GIB, MIB, specOf, type World, worldOfTwo } from '../../../support/memory-world.ts';

const signs = (freeMib: number, stalled: number | null = null, isOverdrawn = false): HostSigns => ({
  availableKib: freeMib * MIB,
  stalled,
  isOverdrawn,
});

describe("the host's state", () => {
  it.each([
    [signs(4000), 'ok'],
    [signs(4000, null, true), 'low'],
    [signs(191), 'low'],
    [signs(127), 'critical'],
    [signs(63), 'emergency'],
    [signs(4000, 5), 'ok'],
    [signs(4000, 5.1), 'low'],
    [signs(1000, 5), 'ok'],
    [signs(1000, 5.1), 'emergency'],
    [{ ...signs(4000), pressure: 'normal' }, 'ok'],
    [{ ...signs(4000), pressure: 'warning' }, 'low'],
    [{ ...signs(4000), pressure: 'critical' }, 'critical'],
    [{ ...signs(10), pressure: 'normal' }, 'emergency'],
  ] as const)('of %j is %s', (found, state) => {
    expect(stateOf(found)).toBe(state);
  });

  it('gets worse at once, and better only when it has been so for five seconds', () => {
    let fold = foldHostState(CALM, signs(100), 0);
    expect(fold.state).toBe('critical');
    fold = foldHostState(fold, signs(4000), 1000);
    expect(fold.state).toBe('critical');
    // Once more in between: the five seconds begin anew.
    fold = foldHostState(fold, signs(100), 3000);
    fold = foldHostState(fold, signs(4000), 4000);
    expect(foldHostState(fold, signs(4000), 8999).state).toBe('critical');
    expect(foldHostState(fold, signs(4000), 9000).state).toBe('ok');
  });
});

describe('a host in need', () => {
  const two = (): Promise<World> => worldOfTwo(2400 * MIB);

  it('M5: an emergency is told, and that it is over', async () => {
    const world = await two();
    world.host = { ...world.host, availableKib: 900 * MIB, stalled: 20 };
    await world.run(1000);
    expect(world.manager.hostMemory().state).toBe('emergency');
    world.host = { ...world.host, availableKib: 60 * GIB, stalled: 0 };
    await world.run(4000);
    expect(world.manager.hostMemory().state).toBe('emergency');
    await world.run(3000);
    expect(world.manager.hostMemory().state).toBe('ok');
    const told = world.manager.ledger(null, 50).map(({ text }) => text);
    expect(told.filter(text => text.startsWith('This computer has'))).toEqual([
      expect.stringMatching(/left again; VMs are served as before\.$/),
      expect.stringMatching(/20 % of the time\. No VM is given more and none starts/),
    ]);
  });

  it('M5: in an emergency what is missing is taken, and nobody is given anything', () => {
    const vm = (n: number, targetKib: number): VmModel => ({
      ...specOf(n),
      ceilingKib: 1024 * MIB,
      bootKib: 1024 * MIB,
      targetKib,
      actualKib: targetKib,
      mayHoldKib: 0,
      usedKib: null,
      overheadKib: 150 * MIB,
      wants: null,
      shrankAtMs: null,
      grewAtMs: null,
      lateKib: 0,
      isSlow: false,
      hasRefused: false,
      held: null,
    });
    const vms = [vm(1, 1024 * MIB), vm(2, 300 * MIB)];
    const host: HostModel = { mode: 'proportional', budgetKib: 1900 * MIB, leasedKib: 0, waitingKib: 0, vms };
    const kinds = (isFrozen: boolean): string[] =>
      actuate(host, plan(host, 0), { deadbandKib: 0, isFrozen }).map(({ kind }) => kind);
    expect(kinds(false)).toEqual(['take', 'give']);
    expect(kinds(true)).toEqual(['take']);
  });

  it('M6: a start waits for the end of an emergency, and fails with the reason when it lasts', async () => {
    const world = await two();
    world.host = { ...world.host, availableKib: 40 * MIB };
    await world.run(1000);
    expect(world.manager.preview(specOf(3, 128, 256))).toMatchObject({
      feasible: false,
      sentence: expect.stringContaining('own programs'),
    });
    const fault = await world.start(3, specOf(3, 128, 256)).catch((cause: unknown) => cause);
    expect(fault).toMatchObject({
      body: { code: 'memory.not-enough' },
    });
    world.host = { ...world.host, availableKib: 60 * GIB };
    await world.run(8000);
    expect(world.manager.hostMemory().leasedKib).toBe(0);
    await world.start(3, specOf(3, 128, 256));
  });

  it('a state that asks nothing of anybody is not told', async () => {
    const world = await two();
    const before = world.manager.ledger(null, 100).length;
    world.host = { ...world.host, availableKib: 61 * GIB };
    await world.run(3000);
    expect(world.manager.ledger(null, 100)).toHaveLength(before);
  });
});
