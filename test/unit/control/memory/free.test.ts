// "Free so much of this computer now": VMs give back, leave it free for a while, and have it again.
import { describe, expect, it } from 'vitest';
import { GIB, MIB, specOf, uuid, type World, worldOfTwo } from '../../../support/memory-world.ts';

const two = (): Promise<World> => worldOfTwo(3000 * MIB);
const targets = (world: World): number =>
  [1, 2].reduce((sum, n) => sum + (world.guests.get(uuid(n))?.targetKib ?? 0), 0);

describe('freeing memory of the host', () => {
  it('takes what is missing from VMs, leaves it free that long, and gives it back', async () => {
    const world = await two();
    const before = targets(world);
    const { budgetKib } = world.manager.hostMemory();
    const wanted = world.host.availableKib + 300 * MIB;
    const preview = world.manager.free(wanted, 60_000);
    expect(preview).toMatchObject({ isEnough: true, freeableKib: 300 * MIB });
    expect(preview.sentence).toMatch(/^VMs give back 300 MiB\. vm1 .* → .*, vm2/);
    await world.run(5000);
    expect(targets(world)).toBeLessThanOrEqual(before - 298 * MIB);
    expect(world.manager.hostMemory()).toMatchObject({
      freeUntil: expect.any(Number),
      freePromisedKib: wanted,
      // What they may use in all is another matter: it is as it was.
      budgetKib,
    });
    expect(world.manager.hostMemory().freeWithheldKib).toBeGreaterThanOrEqual(300 * MIB);
    await world.run(50_000);
    expect(targets(world)).toBeLessThanOrEqual(before - 298 * MIB);
    await world.run(12_000);
    expect(world.manager.hostMemory()).toMatchObject({
      freeUntil: null,
      freePromisedKib: null,
      freeWithheldKib: 0,
    });
    expect(targets(world)).toBeGreaterThanOrEqual(before - 8 * MIB);
  });

  it('says how much there is where that is not enough, and takes nobody below its minimum', async () => {
    const world = await two();
    const { availableKib } = world.host;
    const preview = world.manager.free(availableKib + 8 * GIB, 60_000);
    expect(preview).toMatchObject({ isEnough: false });
    // No more is promised than there can be.
    expect(world.manager.hostMemory().freePromisedKib).toBe(availableKib + preview.freeableKib);
    expect(preview.sentence).toContain('then all that can move are at their minimum');
    await world.run(8000);
    expect(targets(world)).toBe(2 * 256 * MIB);
    // Nothing is missing: it was asked for.
    expect(world.manager.hostMemory().state).toBe('ok');
    expect(world.manager.ledger(null, 20).some(({ text }) => text.includes('missing'))).toBe(false);
    world.manager.free(0, 60_000);
    await world.run(5000);
    expect(targets(world)).toBeGreaterThan(2000 * MIB);
  });

  it('does nothing where so much is free already', async () => {
    const world = await two();
    const before = targets(world);
    const preview = world.manager.free(GIB, 60_000);
    expect(preview).toMatchObject({ isEnough: true, changes: [] });
    expect(preview.sentence).toContain('nothing needs to be given back');
    await world.run(3000);
    expect(targets(world)).toBe(before);
  });

  it('asked for again it lasts longer, and nobody takes it meanwhile', async () => {
    const world = await two();
    world.manager.free(world.host.availableKib + 300 * MIB, 10_000);
    await world.run(5000);
    const held = targets(world);
    world.host = { ...world.host, availableKib: world.host.availableKib + 300 * MIB };
    expect(world.manager.free(world.host.availableKib, 60_000).isEnough).toBe(true);
    await world.run(30_000);
    expect(targets(world)).toBeLessThanOrEqual(held + 8 * MIB);
  });

  it('counts what a VM has really taken: memory it never touched frees nothing', async () => {
    const world = await two();
    for (const n of [1, 2]) {
      const guest = world.guests.get(uuid(n));
      if (guest !== undefined) guest.touchedKib = 600 * MIB;
    }
    await world.run(2000);
    const preview = world.manager.free(world.host.availableKib + 600 * MIB, 60_000);
    expect(preview.isEnough).toBe(false);
    expect(preview.freeableKib).toBeLessThanOrEqual(2 * (600 - 256) * MIB);
    const some = world.manager.free(world.host.availableKib + 200 * MIB, 60_000);
    expect(some).toMatchObject({ isEnough: true, freeableKib: 200 * MIB });
    await world.run(5000);
    expect(targets(world)).toBeLessThanOrEqual(2 * 600 * MIB - 200 * MIB);
  });

  it('is kept free also from what VMs were promised and have not touched yet', async () => {
    const world = await two();
    for (const guest of world.guests.values()) guest.touchedKib = 600 * MIB;
    await world.run(2000);
    // 100 MiB more are free than are to be.
    const wantedKib = world.host.availableKib - 100 * MIB;
    expect(world.manager.free(wantedKib, 60_000)).toMatchObject({ isEnough: true, freeableKib: 0 });
    await world.run(5000);
    // However much of it they touch now.
    const couldTouchKib = targets(world) + 2 * 160 * MIB - 2 * 600 * MIB;
    expect(couldTouchKib).toBeLessThanOrEqual(102 * MIB);
  });

  it('is named, where a VM cannot start for it, as what to end first', async () => {
    const world = await two();
    world.manager.free(world.host.availableKib + 2000 * MIB, 60_000);
    await world.run(8000);
    const spec = specOf(3, 900, 900);
    expect(world.manager.preview(spec)).toMatchObject({ feasible: false });
    expect(world.manager.preview(spec).sentence).toMatch(/being kept free meanwhile/);
    await expect(world.start(3, spec)).rejects.toMatchObject({
      body: { code: 'memory.not-enough', todo: expect.stringMatching(/kept free .*end that/) },
    });
    world.manager.free(0, 10_000);
    expect(world.manager.preview(spec).feasible).toBe(true);
    expect((await world.start(3, spec)).bootKib).toBe(900 * MIB);
  });
});
