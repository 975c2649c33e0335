// M4: who does not give is left alone, not left to suffer.
import { describe, expect, it } from 'vitest';
import { servedInNeed, type VmModel } from '../../../../electron/control/memory/model.ts';
import { type Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

/** Two by need; the first does not give below 700 MiB. */
async function worldWithStuck(): Promise<{ world: World; stuck: Guest }> {
  const world = new World(2400 * MIB);
  world.manager.setPolicy({ mode: 'demand' });
  for (const n of [1, 2]) await world.start(n, specOf(n, 256, 1500));
  const [stuck, other] = [1, 2].map(n => world.guests.get(uuid(n)) as Guest) as [Guest, Guest];
  [stuck.usedKib, other.usedKib] = [300 * MIB, 300 * MIB];
  stuck.floorKib = 700 * MIB;
  world.manager.setPolicy({ budgetKib: 1400 * MIB });
  await world.run(12_000);
  expect(world.manager.vmMemory(specOf(1)).balloon).toBe('refusing');
  expect(world.actual(1)).toBe(700);
  return { world, stuck };
}

describe('a guest left alone', () => {
  it('is given memory as soon as it needs some, and is free again when it took it', async () => {
    const { world, stuck } = await worldWithStuck();
    // It pages: all it has is in use.
    stuck.usedKib = 695 * MIB;
    world.manager.setPolicy({ budgetKib: 4000 * MIB });
    await world.run(4000);
    expect(world.actual(1)).toBeGreaterThan(800);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it('stays alone where it needs nothing', async () => {
    const { world } = await worldWithStuck();
    world.manager.setPolicy({ budgetKib: 4000 * MIB });
    await world.run(4000);
    expect(world.actual(1)).toBe(700);
  });

  it('is given its minimum when that is raised', async () => {
    const { world } = await worldWithStuck();
    world.manager.setPolicy({ budgetKib: 4000 * MIB });
    world.manager.specChanged(specOf(1, 900, 1500));
    await world.run(4000);
    expect(world.actual(1)).toBeGreaterThanOrEqual(898);
  });
});

describe('a guest that took memory back by itself', () => {
  it('is served at once like one that pages: the other gives, though it was just given some', async () => {
    const world = new World(1500 * MIB);
    world.manager.setPolicy({ mode: 'demand' });
    for (const n of [1, 2]) await world.start(n, specOf(n, 256, 1500));
    const [short, other] = [1, 2].map(n => world.guests.get(uuid(n)) as Guest) as [Guest, Guest];
    [short.usedKib, other.usedKib] = [250 * MIB, 250 * MIB];
    await world.run(40_000);
    const had = short.actualKib;
    // Its statistics alone would not say that it suffers.
    short.usedKib = had + 20 * MIB;
    short.actualKib = had + 120 * MIB;
    await world.run(1000);
    expect(short.targetKib).toBeGreaterThanOrEqual(had + 100 * MIB);
    await world.run(4000);
    expect(short.actualKib).toBeGreaterThan(had + 150 * MIB);
    expect(world.worstKib - 2 * 150 * MIB).toBeLessThanOrEqual(1500 * MIB);
  });
});

describe('who is planned for though left alone', () => {
  const left: VmModel = {
    id: uuid(1),
    name: 'vm1',
    minKib: 256 * MIB,
    ceilingKib: 1024 * MIB,
    bootKib: 1024 * MIB,
    targetKib: 500 * MIB,
    actualKib: 500 * MIB + 3,
    mayHoldKib: 0,
    usedKib: null,
    overheadKib: 0,
    weight: 100,
    wants: { workingKib: 500 * MIB, bufferKib: 600 * MIB, cacheKib: 600 * MIB, isUrgent: true },
    shrankAtMs: null,
    grewAtMs: null,
    lateKib: 0,
    isSlow: false,
    hasRefused: false,
    held: 'quarantined',
  };

  it.each(['quarantined', 'resting'] as const)('keeps what it has while %s, in whole MiB', held => {
    expect(servedInNeed({ ...left, held })).toMatchObject({ held: null, minKib: 501 * MIB });
  });

  it.each([
    ['it is at its maximum', { ceilingKib: 500 * MIB }],
    ['it is paused', { held: 'paused' as const }],
    ['it suffers nothing', { wants: null }],
  ])('not where %s', (_, change) => {
    const vm = { ...left, ...change };
    expect(servedInNeed(vm)).toBe(vm);
  });
});
