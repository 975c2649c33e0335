// M6: VMs that start together. One that boots is not squeezed; what it will give when it is up is waited for.
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../../electron/control/ports.ts';
import { Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

const signal = (): AbortSignal => new AbortController().signal;

/** Leases, and what became of them. */
function ask(world: World, n: number, minMib: number, maxMib: number) {
  const asked: { lease: Lease | null; error: unknown } = { lease: null, error: null };
  world.manager.lease({ spec: specOf(n, minMib, maxMib), signal: signal() }).then(
    lease => {
      asked.lease = lease;
    },
    (error: unknown) => {
      asked.error = error;
    },
  );
  return asked;
}

function spawn(world: World, lease: Lease): Guest {
  const guest = new Guest(lease.vmId, lease.bootKib, world.clock);
  world.guests.set(lease.vmId, guest);
  world.manager.transfer(lease, guest);
  return guest;
}

const withoutBalloon = async (guest: Guest) => ({
  actualKib: null,
  stats: null,
  driverReady: false,
  residentKib: guest.touchedKib,
  paused: false,
});

async function worldThatBoots(): Promise<{ world: World; booting: Guest }> {
  const world = new World(4000 * MIB);
  const first = ask(world, 1, 512, 8000);
  await world.run(500);
  return { world, booting: spawn(world, first.lease as unknown as Lease) };
}

describe('a start while another VM boots', () => {
  it('waits, however long that takes, and the preview says so', async () => {
    const { world, booting } = await worldThatBoots();
    await world.run(1000);
    expect(world.manager.preview(specOf(2, 512, 1024))).toMatchObject({
      feasible: true,
      bootKib: 1024 * MIB,
      sentence: expect.stringContaining('waits until those that start now are up'),
    });
    const second = ask(world, 2, 512, 1024);
    await world.run(40_000);
    expect(second).toEqual({ lease: null, error: null });
    // Not squeezed meanwhile.
    expect(booting.commands).toEqual([]);
    booting.driverReady = true;
    await world.run(20_000);
    expect(second.lease?.bootKib).toBe(1024 * MIB);
  });

  it('waits no longer for who boots once there is enough for its minimum', async () => {
    const world = new World(4000 * MIB);
    const leases = [ask(world, 1, 512, 2000), ask(world, 2, 512, 1200)];
    await world.run(1000);
    for (const { lease } of leases) spawn(world, lease as unknown as Lease);
    const third = ask(world, 3, 512, 4000);
    await world.run(2000);
    expect(third).toEqual({ lease: null, error: null });
    world.guests.delete(uuid(2));
    world.manager.detach(uuid(2), 'stopped');
    await world.run(12_000);
    expect(third.lease?.bootKib).toBeGreaterThan(1450 * MIB);
  });

  it.each([{}, { unmeasuredMargin: true }])(
    'M2: a QEMU never measured has room beside it while another such one starts, without %o',
    async off => {
      const world = new World(2000 * MIB, off);
      const first = ask(world, 1, 512, 1024);
      await world.run(500);
      const booting = spawn(world, first.lease as unknown as Lease);
      const marginMib = off.unmeasuredMargin === true ? 0 : 192;
      // 150 and 1 % are usual.
      const leftKib = (2000 - 1024 - 150) * MIB - Math.ceil(10.24 * MIB) - marginMib * MIB;
      const most = (): number => world.manager.preview(specOf(2, 256, 2000)).bootKib;
      expect(most()).toBe(Math.floor(((leftKib / MIB - 150) * 100) / 101) * MIB);
      const second = ask(world, 2, 256, 2000);
      await world.run(1000);
      expect(second.lease?.bootKib).toBe(Math.floor(((leftKib / MIB - 150) * 100) / 101) * MIB);
      const other = spawn(world, second.lease as unknown as Lease);
      await world.run(500);
      const freeKib = world.manager.hostMemory().freeKib;
      expect(freeKib).toBeLessThan(MIB);
      // Up, it can be asked for what its QEMU turns out to need: the rest is anybody's.
      booting.driverReady = true;
      await world.run(2000);
      expect(world.manager.hostMemory().leasedKib).toBe(0);
      other.driverReady = true;
      await world.run(10_000);
      for (const n of [1, 2]) {
        world.guests.delete(uuid(n));
        world.manager.detach(uuid(n), 'stopped');
      }
      // Both came up and were seen: nothing is kept beside them any more.
      const again = ask(world, 1, 512, 1024);
      await world.run(500);
      spawn(world, again.lease as unknown as Lease);
      expect(most()).toBeGreaterThanOrEqual(
        Math.floor(((leftKib / MIB + marginMib - 165) * 100) / 101) * MIB,
      );
    },
  );

  it('M2: without a balloon a QEMU has room beside it until all its guest can have was touched', async () => {
    const world = new World(3000 * MIB);
    const without = { ...specOf(1, 512, 1024), balloon: false };
    const guests: Guest[] = [];
    for (const n of [1, 2]) {
      const leasing = world.manager.lease({ spec: { ...without, id: uuid(n) }, signal: signal() });
      await world.run(500);
      const guest = spawn(world, await leasing);
      Object.assign(guest, { touchedKib: 300 * MIB, sample: () => withoutBalloon(guest) });
      guests.push(guest);
    }
    await world.run(20_000);
    expect(world.manager.hostMemory().leasedKib).toBe(192 * MIB);
    // Nobody saw what it needs: the next start of it is as unknown.
    world.manager.detach(uuid(2), 'stopped');
    expect(world.journal.overhead(uuid(2))).toBeNull();
    expect(world.manager.hostMemory().leasedKib).toBe(0);
    const [first] = guests as [Guest];
    first.touchedKib = 1024 * MIB + 260 * MIB;
    await world.run(2000);
    expect(world.manager.vmMemory(without).overheadKib).toBeGreaterThanOrEqual(260 * MIB);
    expect(world.journal.overhead(uuid(1))).toBeGreaterThanOrEqual(260 * MIB);
  });

  it('M2, M9: the next control, too, keeps room beside those that boot unmeasured, and none beside the others', async () => {
    const world = new World(5000 * MIB);
    for (const n of [1, 2]) await world.start(n, specOf(n, 256, 512));
    for (const n of [3, 4]) {
      const asked = ask(world, n, 512, 1024);
      await world.run(500);
      spawn(world, asked.lease as unknown as Lease);
    }
    expect(world.manager.hostMemory().leasedKib).toBe(192 * MIB);
    world.restart();
    for (const [id, guest] of world.guests) {
      const n = [1, 2, 3, 4].find(one => uuid(one) === id) ?? 0;
      world.manager.adopt(specOf(n, 256, 1024), n < 3 ? 512 * MIB : 1024 * MIB, guest);
    }
    world.manager.begin();
    expect(world.manager.hostMemory().leasedKib).toBe(192 * MIB);
    for (const n of [3, 4]) (world.guests.get(uuid(n)) as Guest).driverReady = true;
    await world.run(5000);
    expect(world.manager.hostMemory().leasedKib).toBe(0);
  });

  it('is refused at once where that would not help', async () => {
    const { world } = await worldThatBoots();
    const second = ask(world, 2, 3800, 3900);
    await world.run(500);
    expect(second.error).toMatchObject({ body: { code: 'memory.not-enough' } });
    expect(world.manager.preview(specOf(2, 3800, 3900)).feasible).toBe(false);
  });

  it('is refused with the reason where the other does not come up', async () => {
    const { world } = await worldThatBoots();
    const second = ask(world, 2, 512, 1024);
    await world.run(120_000);
    expect(second.error).toMatchObject({
      body: { code: 'memory.not-enough', what: expect.stringContaining('vm1 did not finish starting') },
    });
    expect(world.manager.hostMemory().leasedKib).toBe(0);
  });

  it('five at once, each of which would take it all, all start, and nothing is overdrawn', async () => {
    const world = new World(4000 * MIB);
    const asked = [1, 2, 3, 4, 5].map(n => ask(world, n, 300, 4000));
    const up = new Map<string, number>();
    for (let step = 0; step < 1200; step++) {
      await world.run(100);
      for (const { lease } of asked) {
        if (lease === null) continue;
        if (!world.guests.has(lease.vmId)) {
          spawn(world, lease);
          up.set(lease.vmId, step + 80);
        }
        const guest = world.guests.get(lease.vmId) as Guest;
        if (step >= (up.get(lease.vmId) ?? 0)) guest.driverReady = true;
      }
    }
    expect(asked.map(({ error }) => error)).toEqual([null, null, null, null, null]);
    expect(world.guests.size).toBe(5);
    expect(world.worstKib).toBeLessThanOrEqual(4000 * MIB);
    for (const n of [1, 2, 3, 4, 5]) expect(world.actual(n)).toBeGreaterThanOrEqual(300);
    expect(world.manager.hostMemory().vms.every(vm => vm.balloon === 'obeying')).toBe(true);
    expect(uuid(1)).toBe(asked[0]?.lease?.vmId);
  });
});
