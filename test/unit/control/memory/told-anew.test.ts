// M9: QEMU does not say what its balloon goes by. One that goes on was saved with a target, one found running may have
// another than was noted: both are told anew.
import { describe, expect, it } from 'vitest';
import type { MemorySwitchOffs } from '../../../../electron/control/memory/switch-offs.ts';
import { Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

const BOOT = 1024 * MIB;

/** Saved while it had and was told 300 MiB; its range may have been changed since. */
async function goesOn(off: MemorySwitchOffs, minMib: number): Promise<{ world: World; guest: Guest }> {
  const world = new World(2800 * MIB, off);
  const spec = specOf(1, minMib, 1024);
  const { signal } = new AbortController();
  const leasing = world.manager.lease({ spec, exactKib: BOOT, signal });
  await world.run(500);
  const guest = new Guest(spec.id, BOOT, world.clock);
  world.guests.set(spec.id, guest);
  world.manager.transfer(await leasing, guest);
  // Its memory is being read.
  await world.run(2000);
  expect(guest.commands).toEqual([]);
  Object.assign(guest, { actualKib: 300 * MIB, targetKib: 300 * MIB, driverReady: true });
  await world.run(500);
  return { world, guest };
}

describe('a VM that goes on where it was saved', () => {
  it('M3: never hears less than its minimum, though that was raised meanwhile, and gets all it may have', async () => {
    const { world, guest } = await goesOn({}, 512);
    expect(guest.commands[0]).toBe(512 * MIB);
    await world.run(5000);
    expect(guest.actualKib).toBe(BOOT);
    expect(world.manager.vmMemory(specOf(1, 512))).toMatchObject({ balloon: 'obeying', targetKib: BOOT });
  });

  it('is left with the target of then where it is not told anew', async () => {
    const { world, guest } = await goesOn({ toldAnew: true }, 512);
    await world.run(60_000);
    expect(guest.commands).toEqual([]);
    expect(guest.actualKib).toBe(300 * MIB);
  });
});

describe('what would happen if a suspended VM went on', () => {
  it('M6: is said of all that was saved, not of its minimum, as its start does', async () => {
    const world = new World(1500 * MIB);
    await world.start(1);
    const spec = specOf(2, 256, 1024);
    expect(world.manager.preview(spec).feasible).toBe(true);
    const preview = world.manager.preview(spec, BOOT);
    expect(preview).toMatchObject({ feasible: false, changes: [] });
    expect(preview.sentence).toContain('needs 1.0 GiB');
    const { signal } = new AbortController();
    const refused = world.manager.lease({ spec, exactKib: BOOT, signal });
    await expect(refused).rejects.toMatchObject({ body: { code: 'memory.not-enough' } });
    expect(world.manager.preview(spec, 512 * MIB)).toMatchObject({ feasible: true, bootKib: 512 * MIB });
  });
});

describe('a VM found running of which nothing is noted', () => {
  it('is told what it has, and then all it may have', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    const guest = world.guests.get(uuid(1)) as Guest;
    world.restart();
    Object.assign(guest, { actualKib: 400 * MIB, targetKib: 400 * MIB });
    world.journal.dropTarget(uuid(1));
    world.manager.adopt(specOf(1), BOOT, guest);
    world.manager.begin();
    await world.run(3000);
    expect(guest.commands[0]).toBe(400 * MIB);
    await world.run(9000);
    expect(guest.actualKib).toBe(BOOT);
  });

  it('one that starts is told nothing it does: its balloon is empty', async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    expect((world.guests.get(uuid(1)) as Guest).commands).toEqual([]);
  });
});
