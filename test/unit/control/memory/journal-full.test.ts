// M9, M5: what cannot be written down is not asked of anybody, and not kept silent.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Guest, MIB, specOf, uuid, type World, worldOfTwo } from '../../../support/memory-world.ts';

const WRITES = ['putTarget', 'putLease', 'putOverhead', 'append', 'dropTarget', 'dropLease'] as const;

let world: World;
let guests: Guest[];
let mend: () => void;

beforeEach(async () => {
  world = await worldOfTwo(3000 * MIB);
  guests = [...world.guests.values()];
  const was = { ...world.journal };
  mend = () => void Object.assign(world.journal, was);
});

function fill(names: readonly (typeof WRITES)[number][] = WRITES): void {
  const full = (): never => {
    throw new Error('SQLITE_FULL');
  };
  for (const name of names) world.journal[name] = full;
}
const commands = (): number => guests.reduce((sum, guest) => sum + guest.commands.length, 0);
const failures = (): string[] => world.log.filter(line => line.includes('a round failed'));

describe('a journal that cannot be written', () => {
  it.each([
    ['all of it', WRITES],
    ['targets alone', ['putTarget']],
  ] as const)(
    '%s: nothing is sent, the plan grows old, it is logged once, and all is well when it can be again',
    async (_, names) => {
      const before = commands();
      fill(names);
      world.manager.setPolicy({ budgetKib: 1200 * MIB });
      await world.run(30_000);
      expect(commands()).toBe(before);
      expect(world.manager.hostMemory().planAgeMs).toBeGreaterThan(29_000);
      expect(failures()).toHaveLength(1);
      expect(failures()[0]).toContain('SQLITE_FULL');
      mend();
      await world.run(5000);
      expect(world.actual(1) + world.actual(2)).toBeLessThan(1000);
      expect(world.manager.hostMemory().planAgeMs).toBeLessThan(1100);
      const moves = world.manager.ledger(null, 20).filter(({ text }) => text.includes('limits were changed'));
      expect(moves).toHaveLength(1);
    },
  );

  it('is told of in the ledger, once', async () => {
    fill(['putTarget']);
    world.manager.setPolicy({ budgetKib: 1200 * MIB });
    await world.run(10_000);
    mend();
    await world.run(5000);
    const told = world.manager.ledger(null, 50).filter(({ text }) => text.includes('no memory was moved'));
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toMatch(/^For (9|10) s/);
  });

  it('does not keep a start waiting: it fails with the reason', async () => {
    fill();
    await expect(world.start(3, specOf(3, 256, 300))).rejects.toMatchObject({
      body: { what: expect.stringContaining('could not be written down') },
    });
    expect(world.manager.hostMemory().leasedKib).toBe(0);
  });

  it('does not keep a VM that ended counted', () => {
    fill();
    world.manager.detach(uuid(2), 'stopped');
    expect(world.manager.hostMemory().vms).toHaveLength(1);
    expect(world.log.some(line => line.includes('could not be written'))).toBe(true);
  });
});
