// M5: whatever happens to a VM or to its host, the plan follows within one tick.
import { beforeEach, describe, expect, it } from 'vitest';
import type { HostModel } from '../../../../electron/control/memory/model.ts';
import { GIB, type Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

/** The slowest tick there is. */
const TICK_MS = 1000;

let world: World;
let others: Guest[];

beforeEach(async () => {
  world = new World(2400 * MIB);
  for (const n of [1, 2, 3]) await world.start(n, specOf(n, 256, 1024));
  await world.run(8000);
  others = [1, 2].map(n => world.guests.get(uuid(n)) as Guest);
});

const targets = (): number[] => others.map(({ targetKib }) => targetKib);
const third = (): Guest => world.guests.get(uuid(3)) as Guest;

/** What `happens`, and what the others are asked for before and one tick after. */
async function follows(happens: () => void): Promise<{ before: number[]; after: number[] }> {
  const before = targets();
  happens();
  await world.run(TICK_MS);
  return { before, after: targets() };
}
const sum = (kibs: readonly number[]): number => kibs.reduce((all, kib) => all + kib, 0);

describe('M5: the plan follows within one tick', () => {
  it.each(['stopped', 'suspended', 'crashed'] as const)(
    'when a VM %s, to the others goes what it had',
    async why => {
      const { before, after } = await follows(() => {
        world.guests.delete(uuid(3));
        world.manager.detach(uuid(3), why);
      });
      expect(sum(after)).toBeGreaterThan(sum(before) + 200 * MIB);
    },
  );

  it('when a VM is about to start', async () => {
    const { before, after } = await follows(() => {
      const signal = new AbortController().signal;
      world.manager.lease({ spec: specOf(4, 128, 128), signal }).catch(() => undefined);
    });
    expect(sum(after)).toBeLessThan(sum(before));
  });

  it('when a suspended VM is to go on as large as it was', async () => {
    const { before, after } = await follows(() => {
      const signal = new AbortController().signal;
      world.manager.lease({ spec: specOf(4, 64, 512), exactKib: 300 * MIB, signal }).catch(() => undefined);
    });
    expect(sum(after)).toBeLessThan(sum(before) - 16 * MIB);
  });

  it('when a start was given up', async () => {
    const giveUp = new AbortController();
    const leasing = world.manager
      .lease({ spec: specOf(4, 128, 128), signal: giveUp.signal })
      .catch(() => undefined);
    await world.run(TICK_MS);
    const squeezed = sum(targets());
    const lease = await leasing;
    const { after } = await follows(() => {
      if (lease === undefined) giveUp.abort();
      else world.manager.release(lease);
    });
    await world.run(TICK_MS);
    expect(sum(targets())).toBeGreaterThan(squeezed);
    expect(after).toHaveLength(2);
  });

  it('when a VM resets: it may touch all it was started with', async () => {
    const { before, after } = await follows(() => {
      third().driverReady = false;
      world.manager.event(uuid(3), 'reset');
    });
    expect(sum(after)).toBeLessThan(sum(before));
  });

  it('when a VM is paused it is left as it is, and when it resumes it is asked again', async () => {
    third().isPaused = true;
    world.manager.event(uuid(3), 'paused');
    await world.run(TICK_MS);
    const asked = third().commands.length;
    world.manager.specChanged(specOf(3, 256, 400));
    await world.run(TICK_MS);
    expect(third().commands).toHaveLength(asked);
    third().isPaused = false;
    world.manager.event(uuid(3), 'resumed');
    await world.run(TICK_MS);
    expect(third().commands.length).toBeGreaterThan(asked);
    expect(third().targetKib).toBeLessThanOrEqual(400 * MIB);
  });

  it('when a range changes', async () => {
    const { before, after } = await follows(() => world.manager.specChanged(specOf(3, 256, 300)));
    expect(third().targetKib).toBeLessThanOrEqual(300 * MIB);
    await world.run(2 * TICK_MS);
    expect(sum(targets())).toBeGreaterThan(sum(before));
    expect(after).toHaveLength(2);
  });

  it('when a VM is no longer to be balanced: what it has stays its own', async () => {
    const asked = third().commands.length;
    await follows(() => world.manager.specChanged({ ...specOf(3, 256, 1024), balanced: false }));
    world.manager.setPolicy({ budgetKib: 2200 * MIB });
    await world.run(TICK_MS);
    expect(third().commands).toHaveLength(asked);
  });

  it("when the host's limits change", async () => {
    const { before, after } = await follows(() => {
      expect(world.manager.setPolicy({ budgetKib: 2000 * MIB }).ok).toBe(true);
    });
    expect(sum(after)).toBeLessThan(sum(before) - 100 * MIB);
  });

  it('when how memory is shared changes', async () => {
    const { mode } = world.manager.hostMemory();
    expect(mode).toBe('proportional');
    expect(world.manager.setPolicy({ mode: 'demand' }).ok).toBe(true);
    await world.run(TICK_MS);
    expect(world.manager.hostMemory().mode).toBe('demand');
    expect(world.manager.hostMemory().planAgeMs).toBeLessThanOrEqual(TICK_MS);
  });

  it("when the host's own programs grow", async () => {
    const { before, after } = await follows(() => {
      world.host = { ...world.host, availableKib: 2 * GIB };
    });
    expect(sum(after)).toBeLessThan(sum(before));
  });

  it.each(['taken away from', 'added to'] as const)('when memory is %s this computer', async what => {
    // VMs may have all that the reserve leaves: 8 GiB less 6.
    expect(world.manager.setPolicy({ budgetKib: null, reserveKib: 6 * GIB }).ok).toBe(true);
    const resize = (gib: number): void => {
      world.host = { ...world.host, totalKib: gib * GIB, availableKib: (gib - 2) * GIB };
    };
    const [from, to] = what === 'added to' ? [8, 10] : [10, 8];
    resize(from);
    await world.run(15 * TICK_MS);
    const { before, after } = await follows(() => resize(to));
    expect(world.manager.hostMemory().budgetKib).toBe((to - 6) * GIB);
    if (to > from) expect(sum(after)).toBeGreaterThan(sum(before) + 100 * MIB);
    else expect(sum(after)).toBeLessThan(sum(before) - 100 * MIB);
  });

  it.each(['stands still', 'runs on'] as const)(
    'when this computer slept and its clock %s: no guest is blamed for it',
    async clock => {
      third().rateKib = 0;
      world.manager.specChanged(specOf(3, 256, 300));
      await world.run(3 * TICK_MS);
      // Asked, and not there: two seconds more and it would be called stuck.
      if (clock === 'runs on') world.clock.now += 3_600_000;
      else world.clock.aheadMs += 3_600_000;
      await world.run(2 * TICK_MS);
      expect(world.manager.vmMemory(specOf(3, 256, 300)).balloon).toBe('obeying');
      third().rateKib = 200 * MIB;
      await world.run(3 * TICK_MS);
      expect(third().actualKib).toBe(third().targetKib);
      expect(world.manager.ledger(null, 100).some(({ result }) => result === 'refused')).toBe(false);
    },
  );

  it('on battery too, and it looks around less often while nothing happens', async () => {
    const asked: number[] = [];
    const sample = third().sample.bind(third());
    third().sample = () => {
      asked.push(world.clock.now);
      return sample();
    };
    await world.run(20 * TICK_MS);
    const before = asked.splice(0).length;
    world.manager.setOnBattery(true);
    await world.run(20 * TICK_MS);
    expect(asked.length).toBeLessThan(before / 3);
    const { before: was, after } = await follows(() => {
      world.guests.delete(uuid(3));
      world.manager.detach(uuid(3), 'stopped');
    });
    expect(sum(after)).toBeGreaterThan(sum(was) + 200 * MIB);
  });

  it('when a guest takes memory back by itself', async () => {
    world.manager.specChanged(specOf(3, 256, 300));
    await world.run(5 * TICK_MS);
    const before = targets();
    third().actualKib = 600 * MIB;
    third().floorKib = 600 * MIB;
    await world.run(TICK_MS);
    expect(sum(targets())).toBeLessThan(sum(before));
  });

  describe('by need', () => {
    beforeEach(async () => {
      expect(world.manager.setPolicy({ mode: 'demand' }).ok).toBe(true);
      for (const guest of [...others, third()]) guest.usedKib = 560 * MIB;
      await world.run(60 * TICK_MS);
    });

    it("when a VM's weight changes: it has its buffer before the others", async () => {
      const { before, after } = await follows(() =>
        world.manager.specChanged({ ...specOf(3, 256, 1024), weight: 1000 }),
      );
      expect(sum(after)).toBeLessThan(sum(before) - 50 * MIB);
      await world.run(TICK_MS);
      expect(third().targetKib).toBeGreaterThan(650 * MIB);
    });

    it('when people look at its screen, in any window, and a while after', async () => {
      const { before, after } = await follows(() => world.manager.focus(1, uuid(3)));
      expect(sum(after)).toBeLessThan(sum(before) - 16 * MIB);
      const weight = (): number => {
        const planned = world.journal.inputs(20).find(({ json }) => json !== 'null');
        const { model } = JSON.parse(planned?.json ?? 'null') as { model: HostModel };
        return model.vms.find(({ id }) => id === uuid(3))?.weight ?? 0;
      };
      expect(weight()).toBe(200);
      world.manager.focus(2, uuid(3));
      world.manager.focus(1, null);
      await world.run(61_000);
      expect(
        world.manager.ledger(null, 20).some(({ text }) => text.startsWith('vm3 is being worked with')),
      ).toBe(true);
      world.manager.focus(2, null);
      await world.run(30_000);
      world.manager.specChanged(specOf(1, 256, 500));
      await world.run(TICK_MS);
      expect(weight()).toBeGreaterThan(140);
      expect(weight()).toBeLessThan(160);
    });

    it('when a guest runs short: the others give up their buffers', async () => {
      for (const guest of others) guest.usedKib = 300 * MIB;
      await world.run(60 * TICK_MS);
      const { before, after } = await follows(() => {
        third().usedKib = third().actualKib;
      });
      expect(sum(after)).toBeLessThan(sum(before));
      await world.run(TICK_MS);
      expect(third().targetKib).toBeGreaterThan(third().usedKib ?? 0);
    });
  });
});
