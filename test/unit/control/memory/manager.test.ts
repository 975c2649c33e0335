// The real manager over simulated guests and a clock that only moves when told.
import { describe, expect, it } from 'vitest';
import { replay } from '../../../../electron/control/memory/replay.ts';
import { Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

describe('the memory manager', () => {
  it('M9: a guest found running and not asked yet counts as all it was started with, and is not called driverless', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    const guest = world.guests.get(uuid(1)) as Guest;
    world.restart();
    world.manager.adopt(specOf(1), 1024 * MIB, guest);
    const before = world.manager.vmMemory(specOf(1));
    expect(before).toMatchObject({ actualKib: null, balloon: 'booting' });
    world.manager.begin();
    await world.run(2000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it('M2, M9: memory a guest touches again after a reset is not taken for memory QEMU itself needs', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    const guest = world.guests.get(uuid(1)) as Guest;
    const overheadKib = world.manager.vmMemory(specOf(1)).overheadKib;
    world.manager.specChanged(specOf(1, 256, 512));
    await world.run(6000);
    expect(guest.actualKib).toBe(512 * MIB);
    // Its firmware and new kernel use all of it before the balloon fills again; `actual` still says what it was.
    world.manager.event(uuid(1), 'reset');
    guest.driverReady = false;
    guest.touchedKib = 1024 * MIB + 90 * MIB;
    await world.run(3000);
    expect(world.manager.vmMemory(specOf(1)).overheadKib).toBe(overheadKib);
  });

  it('M5, M6: a start squeezes the others first, a stop gives it back, and Σ commitments never pass the budget', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    await world.start(2);
    expect(world.actual(1)).toBe(1024);
    const lease = await world.start(3);
    // Two at 256 + overheads leave more than the third's maximum: it gets all of it.
    expect(lease.bootKib).toBe(1024 * MIB);
    await world.run(5000);
    for (const n of [1, 2, 3]) expect(world.actual(n)).toBeLessThan(830);
    expect(world.worstKib).toBeLessThanOrEqual(2800 * MIB);
    world.guests.delete(uuid(3));
    world.manager.detach(uuid(3), 'stopped');
    await world.run(6000);
    for (const n of [1, 2]) expect(world.actual(n)).toBeGreaterThan(1000);
    const { compressionRatio, committedKib } = world.manager.hostMemory();
    expect(compressionRatio).toBe(0);
    expect(committedKib).toBeLessThanOrEqual(2800 * MIB);
  });

  it('M3: with release-before-grant switched off the same story overdraws the budget', async () => {
    const world = new World(2000 * MIB, { freeBeforeGive: true });
    await world.start(1);
    await world.start(2);
    for (const guest of world.guests.values()) guest.rateKib = 5 * MIB;
    world.manager.specChanged(specOf(1, 900, 1024));
    await world.run(3000);
    expect(world.worstKib).toBeGreaterThan(2000 * MIB);
  });

  it('M8: where inflating frees nothing on the host, what balloons took is credited to nobody', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2]) {
      await world.start(n);
      // All of it touched, and kept by the process whatever the balloon says.
      (world.guests.get(uuid(n)) as Guest).touchedKib = 1124 * MIB;
    }
    await world.run(2000);
    const starting = world.start(3).catch((cause: unknown) => cause);
    const outcome = await starting;
    const kept = 2 * 1124 * MIB;
    if (outcome instanceof Error) expect(outcome).toMatchObject({ body: { code: 'memory.not-enough' } });
    else {
      const third = world.guests.get(uuid(3)) as Guest;
      expect(kept + third.actualKib + 150 * MIB).toBeLessThanOrEqual(2800 * MIB);
    }
    expect(world.actual(1)).toBeLessThan(1024);
    await world.run(20_000);
    expect(world.manager.hostMemory().committedKib).toBeGreaterThanOrEqual(kept);
    expect(world.manager.hostMemory().committedKib).toBeLessThanOrEqual(2800 * MIB);
  });

  it('M4: a guest that refuses is set aside and planned around; the others are not delayed', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    await world.start(2);
    const stuck = world.guests.get(uuid(1)) as Guest;
    stuck.floorKib = 1024 * MIB;
    await world.start(3);
    await world.run(15_000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('refusing');
    expect(world.actual(2) + world.actual(3)).toBeLessThanOrEqual(2800 - 1024 - 3 * 150);
    expect(world.worstKib).toBeLessThanOrEqual(2800 * MIB);
    expect(world.manager.ledger(uuid(1), 20).some(entry => entry.result === 'refused')).toBe(true);
  });

  it('M6: a lease that cannot be met fails with a reason and a remedy, and nothing is left promised', async () => {
    const world = new World(1500 * MIB);
    await world.start(1, specOf(1, 800, 1024));
    const fault = await world.start(2, specOf(2, 900, 1024)).catch((error: unknown) => error);
    expect(fault).toMatchObject({
      body: { code: 'memory.not-enough', todo: expect.stringContaining('vm1') },
    });
    expect(world.manager.hostMemory().leasedKib).toBe(0);
    expect(world.journal.leases()).toEqual([]);
  });

  it('M6: a start that fits only below its maximum gets what there is, and the preview said so', async () => {
    const world = new World(1500 * MIB);
    await world.start(1);
    const preview = world.manager.preview(specOf(2));
    expect(preview).toMatchObject({
      feasible: true,
      sentence: expect.stringContaining('its maximum applies at the next start'),
    });
    const lease = await world.start(2);
    expect(lease.bootKib).toBe(preview.bootKib);
    expect(lease.bootKib).toBeLessThan(1024 * MIB);
  });

  it('M6: a lease is stored before it is answered and gone after transfer', async () => {
    const world = new World(4000 * MIB);
    const leasing = world.manager.lease({ spec: specOf(1), signal: new AbortController().signal });
    await world.run(500);
    const lease = await leasing;
    expect(world.journal.leases().map(stored => stored.vmId)).toEqual([uuid(1)]);
    world.manager.transfer(lease, new Guest(uuid(1), lease.bootKib));
    expect(world.journal.leases()).toEqual([]);
  });

  it('M5: a range changed while a VM starts is its range', async () => {
    const world = new World(4000 * MIB);
    const leasing = world.manager.lease({ spec: specOf(1), signal: new AbortController().signal });
    await world.run(500);
    const lease = await leasing;
    world.manager.specChanged(specOf(1, 300, 600));
    const guest = new Guest(uuid(1), lease.bootKib, world.clock);
    guest.driverReady = true;
    world.guests.set(uuid(1), guest);
    world.manager.transfer(lease, guest);
    await world.run(8000);
    expect(world.actual(1)).toBeLessThanOrEqual(600);
  });

  it('M4: a balloon that never gets a driver is said to have none, and counts as all of -m', async () => {
    const world = new World(3000 * MIB);
    const leasing = world.manager.lease({ spec: specOf(1), signal: new AbortController().signal });
    await world.run(500);
    const lease = await leasing;
    world.manager.transfer(lease, new Guest(uuid(1), lease.bootKib, world.clock));
    await world.run(120_000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('booting');
    await world.run(200_000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('no-driver');
    expect(world.manager.hostMemory().committedKib).toBeGreaterThan(1024 * MIB);
    world.manager.event(uuid(1), 'reset');
    await world.run(1000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('booting');
  });

  it('M9: a controller that died counts adopted guests as what they may hold, and never gives that away', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(5000);
    world.worstKib = 0;
    world.restart();
    for (const n of [1, 2, 3]) world.manager.adopt(specOf(n), 1024 * MIB, world.guests.get(uuid(n)) as Guest);
    // Not one figure yet: everyone counts as everything.
    expect(world.manager.hostMemory().freeKib).toBe(0);
    world.manager.begin();
    await world.run(10_000);
    expect(world.worstKib).toBeLessThanOrEqual(2800 * MIB);
    expect(world.manager.hostMemory().vms.every(vm => vm.balloon === 'obeying')).toBe(true);
  });

  it('M2, M9: what a QEMU was seen to need beyond its guest is known to the next control, the next start and its preview', async () => {
    const world = new World(3000 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    const guests = [...world.guests.values()];
    for (const guest of guests) guest.touchedKib = guest.actualKib + 400 * MIB;
    await world.run(6000);
    const measured = world.manager.vmMemory(specOf(1)).overheadKib;
    expect(measured).toBeGreaterThanOrEqual(400 * MIB);
    // They fall idle, and say nothing of it any more.
    for (const guest of guests) guest.touchedKib = 300 * MIB;
    await world.run(2000);
    world.restart();
    for (const n of [1, 2, 3]) world.manager.adopt(specOf(n), 1024 * MIB, world.guests.get(uuid(n)) as Guest);
    world.manager.begin();
    await world.run(10_000);
    expect(world.couldHoldKib() + 3 * (400 - 150) * MIB).toBeLessThanOrEqual(3000 * MIB);
    world.guests.delete(uuid(3));
    world.manager.detach(uuid(3), 'stopped');
    // Enough for the third at its minimum and what a QEMU usually needs, not for what this one does.
    const others = [1, 2].reduce(
      (sum, n) => sum + 256 * MIB + world.manager.vmMemory(specOf(n)).overheadKib,
      0,
    );
    world.manager.setPolicy({ budgetKib: others + (256 + 200) * MIB });
    await world.run(5000);
    expect(world.manager.preview(specOf(3))).toMatchObject({ feasible: false });
    await expect(world.start(3)).rejects.toMatchObject({ body: { code: 'memory.not-enough' } });
    world.manager.forget(uuid(3));
    expect(world.manager.preview(specOf(3)).feasible).toBe(true);
  });

  it('M2, M9: overdrawn after a restart, nobody is given what the journal says and it never heard', async () => {
    const world = new World(2400 * MIB);
    for (const n of [1, 2]) await world.start(n);
    const guest = world.guests.get(uuid(1)) as Guest;
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(6000);
    expect(guest.targetKib).toBe(400 * MIB);
    world.restart();
    // The last control died before it noted that the target was heard; meanwhile the minimum was raised.
    world.journal.putTarget(uuid(1), 1000 * MIB);
    const spec = specOf(1, 700, 1024);
    world.manager.adopt(spec, 1024 * MIB, guest);
    world.manager.adopt(specOf(2), 1024 * MIB, world.guests.get(uuid(2)) as Guest);
    world.manager.setPolicy({ budgetKib: 1400 * MIB });
    const sent = guest.commands.length;
    world.manager.begin();
    // Its driver's word is waited for.
    await world.run(3000);
    expect(guest.commands[sent]).toBe(400 * MIB);
  });

  it('M9: a reset guest counts as all of -m until its driver is back', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(5000);
    const guest = world.guests.get(uuid(1)) as Guest;
    const before = world.manager.hostMemory().committedKib;
    guest.driverReady = false;
    world.manager.event(uuid(1), 'reset');
    await world.run(300);
    const { committedKib, vms } = world.manager.hostMemory();
    expect(committedKib).toBeGreaterThan(before);
    // What is shown of each is what is counted.
    expect(vms.reduce((sum, vm) => sum + vm.committedKib, 0)).toBe(committedKib);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('booting');
  });

  it('M3, M4: a guest that does not answer keeps what it may hold; the others get their minimum without it', async () => {
    const world = new World(4000 * MIB);
    for (const n of [1, 2, 3]) await world.start(n, specOf(n, 256, 2048));
    await world.run(8000);
    const silent = world.guests.get(uuid(1)) as Guest;
    const { sample, setTarget } = silent;
    const hadMib = world.actual(1);
    const hang = (): Promise<never> =>
      new Promise((_, reject) => void world.clock.after(10_000, () => reject(new Error('QMP'))));
    silent.sample = hang;
    silent.setTarget = hang;
    world.manager.setPolicy({ budgetKib: 3000 * MIB });
    world.manager.specChanged(specOf(2, 1000, 2048));
    await world.run(10_000);
    expect(world.actual(2)).toBeGreaterThanOrEqual(1000 - 2);
    expect(world.actual(1)).toBe(hadMib);
    expect(world.worstKib).toBeLessThanOrEqual(4000 * MIB);
    const told = () =>
      world.manager.ledger(uuid(1), 50).filter(({ text }) => text.includes('does not answer'));
    await world.run(30_000);
    expect(told()).toHaveLength(1);
    Object.assign(silent, { sample, setTarget });
    await world.run(15_000);
    expect(world.actual(1)).toBeLessThan(hadMib - 100);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it('M9: after a reset what its old driver held is not believed of the new one', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(6000);
    const guest = world.guests.get(uuid(1)) as Guest;
    guest.driverReady = false;
    world.manager.event(uuid(1), 'reset');
    await world.run(5000);
    // The driver says it is ready, and a moment later what it holds: everything.
    const { move } = guest;
    guest.move = () => undefined;
    guest.driverReady = true;
    world.manager.event(uuid(1), 'guest-up');
    world.worstKib = 0;
    for (let step = 0; step < 10; step++) {
      await world.run(50);
      world.worstKib = Math.max(world.worstKib, world.couldHoldKib({ [uuid(1)]: 1024 * MIB }));
    }
    guest.actualKib = 1024 * MIB;
    guest.move = move;
    await world.run(5000);
    expect(world.worstKib).toBeLessThanOrEqual(2800 * MIB);
    expect(world.manager.ledger(uuid(1), 50).some(({ text }) => text.includes('ran short'))).toBe(false);
    expect(world.actual(1)).toBeLessThan(800);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it('M9: a new driver that needs no change says nothing: its figure is believed after a while', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(6000);
    const guest = world.guests.get(uuid(1)) as Guest;
    guest.driverReady = false;
    world.manager.event(uuid(1), 'reset');
    await world.run(1000);
    guest.driverReady = true;
    await world.run(500);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('booting');
    await world.run(3000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it('M5: one guest that throws or never answers does not stop the loop', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    await world.start(2);
    const broken = world.guests.get(uuid(1)) as Guest;
    broken.sample = () => new Promise(() => undefined);
    await world.run(30_000);
    expect(world.manager.hostMemory().planAgeMs).toBeLessThan(6_000);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('blind');
    world.manager.specChanged(specOf(2, 256, 512));
    await world.run(20_000);
    expect(world.actual(2)).toBeLessThanOrEqual(514);
  });

  it('M7: every move has a sentence with its cause, and a second one when it is done', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(5000);
    const entries = world.manager.ledger(null, 50);
    expect(
      entries.some(entry => entry.result === 'asked' && /vm3/.test(entry.text) && entry.moves.length >= 2),
    ).toBe(true);
    expect(entries.some(entry => entry.result === 'done' && /^Done in/.test(entry.text))).toBe(true);
  });

  it("M1, M7: the ledger has the patent's figures: who is below target, what balloons take and for whom, what came back", async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2]) await world.start(n);
    const [first, second] = [1, 2].map(n => world.guests.get(uuid(n)) as Guest) as [Guest, Guest];
    first.usedKib = 300 * MIB;
    second.usedKib = 1000 * MIB;
    await world.run(2000);
    world.manager.setPolicy({ budgetKib: 1500 * MIB });
    await world.run(6000);
    const [planned] = world.manager
      .ledger(null, 50)
      .filter(({ text }) => text.includes('limits were changed'));
    expect(planned?.text).toMatch(/Below target: vm1\. Balloons are to take \d+ MiB\./);
    const [done] = world.manager.ledger(null, 50).filter(({ result }) => result === 'done');
    const tookMib = 2 * 1024 - world.actual(1) - world.actual(2);
    const [, took, came] = /took ([\d.]+) MiB, ([\d.]+) MiB of it came back/.exec(done?.text ?? '') ?? [];
    expect(Number(took)).toBeCloseTo(tookMib, -1);
    expect(came).toBe(took);
    world.guests.delete(uuid(1));
    world.manager.detach(uuid(1), 'stopped');
    await world.run(6000);
    world.manager.specChanged(specOf(2, 256, 800));
    await world.start(3, specOf(3, 256, 1024));
    expect(
      world.manager.ledger(null, 50).some(({ text }) => /Balloons are to take .* for vm/.test(text)),
    ).toBe(true);
  });

  it.each(['proportional', 'demand'] as const)(
    'M7: what it planned %s can be planned again, and is the same',
    async mode => {
      const world = new World(2800 * MIB);
      expect(world.manager.setPolicy({ mode }).ok).toBe(true);
      for (const n of [1, 2, 3]) await world.start(n);
      world.manager.specChanged(specOf(1, 256, 600));
      await world.run(5000);
      const { checked, differing } = world.manager.replay(1000);
      expect(checked).toBeGreaterThan(1);
      expect(differing).toEqual([]);
    },
  );

  it('M7: a plan that was made of something else is told', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    const [latest, ...others] = world.journal.inputs(1000).filter(({ json }) => json !== 'null');
    const { model, ...rest } = JSON.parse(latest?.json ?? '');
    const other = JSON.stringify({ model: { ...model, budgetKib: model.budgetKib - 300 * MIB }, ...rest });
    expect(replay([{ seq: 7, json: other }, { seq: 8, json: '{' }, ...others]).differing).toEqual([7, 8]);
  });
});
