// M5: on the event, not with the next tick: on battery, where nothing moves, that would be five seconds later.
import { beforeEach, describe, expect, it } from 'vitest';
import { GIB, type Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

/** What a plan waits for guests, and a step of this clock; far less than a tick. */
const AT_ONCE_MS = 250;

let world: World;
let guest: Guest;

beforeEach(async () => {
  world = new World(2400 * MIB);
  for (const n of [1, 2]) await world.start(n, specOf(n, 256, 1024));
  guest = world.guests.get(uuid(1)) as Guest;
  for (const one of world.guests.values()) one.rateKib = 100 * GIB;
  world.manager.setOnBattery(true);
  // A tick lies just behind: the next one is far away.
  await world.run(20_000);
  const { planAgeMs } = world.manager.hostMemory();
  await world.run(5_000 - planAgeMs + 300);
  expect(world.manager.hostMemory().planAgeMs).toBeLessThan(500);
});

const targetMib = (): number => guest.targetKib / MIB;

describe('M5: at once', () => {
  it('a range that changes', async () => {
    world.manager.specChanged(specOf(1, 256, 900));
    await world.run(AT_ONCE_MS);
    expect(targetMib()).toBe(900);
  });

  it('a second change within a moment is sent as soon as a second command may be', async () => {
    world.manager.specChanged(specOf(1, 256, 900));
    await world.run(100);
    world.manager.specChanged(specOf(1, 256, 600));
    await world.run(100);
    expect(targetMib()).toBe(900);
    await world.run(200);
    expect(targetMib()).toBe(600);
  });

  it('what VMs may use in all', async () => {
    world.manager.setPolicy({ budgetKib: 1500 * MIB });
    await world.run(AT_ONCE_MS);
    expect(targetMib()).toBeLessThan(800);
  });

  it('a VM that stops', async () => {
    world.manager.setPolicy({ budgetKib: 1500 * MIB });
    await world.run(20_000);
    world.guests.delete(uuid(2));
    world.manager.detach(uuid(2), 'stopped');
    await world.run(AT_ONCE_MS);
    expect(targetMib()).toBe(1024);
  });

  it('a VM that is about to start', async () => {
    world.manager.lease({ spec: specOf(3), signal: new AbortController().signal }).catch(() => undefined);
    await world.run(AT_ONCE_MS);
    expect(targetMib()).toBeLessThan(1000);
  });

  it.each(['reset', 'guest-up', 'paused', 'resumed', 'balloon-changed'] as const)(
    'the event %s',
    async event => {
      world.manager.event(uuid(1), event);
      await world.run(AT_ONCE_MS);
      expect(world.manager.hostMemory().planAgeMs).toBeLessThan(AT_ONCE_MS);
    },
  );

  it('what a balloon did by itself is seen', async () => {
    guest.targetKib = 700 * MIB;
    guest.actualKib = 700 * MIB;
    world.manager.event(uuid(1), 'balloon-changed');
    await world.run(AT_ONCE_MS);
    expect(world.manager.vmMemory(specOf(1)).actualKib).toBe(700 * MIB);
  });
});

describe('one exception never stops the loop', () => {
  it('nor does one of somebody who listens', async () => {
    let calls = 0;
    world.manager.onHost(() => {
      calls++;
      throw new Error('a listener that fails');
    });
    world.manager.setOnBattery(false);
    await world.run(5_000);
    expect(calls).toBeGreaterThan(3);
    expect(world.log.filter(line => line.includes('a listener that fails')).length).toBeGreaterThan(0);
    expect(world.manager.hostMemory().planAgeMs).toBeLessThan(1_100);
  });
});
