// M8: what a balloon took is credited to nobody before the host was seen to have it.
import { describe, expect, it } from 'vitest';
import {
  foldPossession,
  freshPossession,
  type Possession,
} from '../../../../electron/control/memory/possession.ts';
import { GIB, type Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

const OVERHEAD = 160 * MIB;

/** One figure a second, in MiB: what the guest has, what the host holds for it (null: it does not tell). */
function fold(figures: readonly (readonly [actual: number, resident: number | null])[]): Possession {
  let possession = freshPossession(1024 * MIB, 0);
  let beforeKib = 1024 * MIB;
  figures.forEach(([actual, resident], second) => {
    const actualKib = actual * MIB;
    const residentKib = resident === null ? null : resident * MIB;
    possession = foldPossession(
      possession,
      { actualKib, residentKib, beforeKib, overheadKib: OVERHEAD },
      second * 1000,
    );
    beforeKib = actualKib;
  });
  return possession;
}
const rest = (figure: readonly [number, number | null], seconds: number) =>
  Array.from({ length: seconds }, () => figure);
const heldMib = ({ heldKib }: Possession): number => heldKib / MIB;

const FULL = [1024, 1184] as const;

describe('what the host may still hold', () => {
  it('is found out to come back when enough of it did', () => {
    expect(fold([FULL, [980, 1140]]).verdict).toBeNull();
    expect(fold([FULL, [980, 1140], [960, 1120]]).verdict).toBe('returns');
    expect(fold([FULL, [980, 1140], [960, 1120], ...rest([512, 1184], 20)]).verdict).toBe('returns');
  });

  it('where the host does not tell, never falls', () => {
    expect(heldMib(fold(rest([256, null], 600)))).toBe(1024);
    expect(heldMib(fold([FULL, [512, 672], ...rest([256, null], 600)]))).toBe(512);
  });

  it('memory the guest never touched is nothing to come back, and proves nothing', () => {
    expect(fold([[1024, 500], ...rest([512, 500], 20)]).verdict).toBeNull();
  });

  it('a balloon that takes while nothing comes back is found out when it has stood still', () => {
    const story = [FULL, [700, 1184], [512, 1184]] as const;
    expect(fold([...story, ...rest([512, 1184], 4)]).verdict).toBeNull();
    const found = [...story, ...rest([512, 1184], 5)];
    expect(fold(found)).toMatchObject({ mark: { actualKib: 1024 * MIB }, verdict: 'keeps' });
    // And stays so while nothing proves otherwise.
    expect(fold([...found, ...rest(FULL, 20)]).verdict).toBe('keeps');
    expect(fold([...found, ...rest(FULL, 5), [512, 672]])).toMatchObject({
      heldKib: 512 * MIB,
      verdict: 'returns',
    });
  });

  it('little is no proof, and neither is what was found on the way', () => {
    expect(fold([FULL, ...rest([970, 1184], 20)]).verdict).toBeNull();
    expect(fold(rest([512, 1184], 20)).verdict).toBeNull();
  });

  it('where QEMU needs more than is known, memory never touched is not taken for memory kept', () => {
    // It needs 280, not 160, and its guest had touched 900 of 1024.
    const untouched = [[1024, 1180], ...rest([930, 1190], 20)] as const;
    expect(fold(untouched).verdict).toBeNull();
    // Also where the balloon goes to and fro, never still for long enough to begin anew.
    const toAndFro = [...rest([930, 1190], 3), [940, 1200], [860, 1140], [800, 1080], [900, 1180]] as const;
    expect(fold([[1024, 1180], ...toAndFro, ...rest([900, 1180], 20)]).verdict).toBe('returns');
  });

  it("what is left where some came back is QEMU's own need", () => {
    expect(fold([FULL, ...rest([600, 1000], 20)]).verdict).toBeNull();
  });
});

const guest = (world: World, n: number): Guest => world.guests.get(uuid(n)) as Guest;
const told = (world: World): string[] =>
  world.manager.ledger(null, 100).flatMap(({ text }) => (text.includes('did not come back') ? [text] : []));

describe('M8: where inflating frees nothing', () => {
  async function keeping(): Promise<World> {
    const world = new World(2800 * MIB);
    for (const n of [1, 2]) await world.start(n);
    guest(world, 1).touchedKib = 1184 * MIB;
    await world.run(2000);
    world.manager.specChanged(specOf(1, 256, 512));
    await world.run(10_000);
    return world;
  }

  it('it is told once, and the VM says so; memory is asked of it no more', async () => {
    const world = await keeping();
    expect(told(world)).toHaveLength(1);
    expect(told(world)[0]).toContain('vm1');
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('no-return');
    // Its range is its own again; nothing more is taken from it, whatever others want.
    world.manager.specChanged(specOf(1));
    world.manager.setPolicy({ budgetKib: 1700 * MIB });
    await world.run(30_000);
    expect(world.actual(1)).toBeGreaterThanOrEqual(512);
    expect(world.actual(2)).toBeLessThan(400);
    expect(told(world)).toHaveLength(1);
  });

  it('it counts while it is held, and the next start is not leased that much more', async () => {
    const world = await keeping();
    expect(world.manager.hostMemory().committedKib).toBeGreaterThanOrEqual((1184 + 1024) * MIB);
    world.guests.delete(uuid(1));
    world.manager.detach(uuid(1), 'stopped');
    expect(world.journal.overhead(uuid(1)) ?? 0).toBeLessThan(200 * MIB);
  });

  it('a balloon whose memory does come back is said nothing of', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2]) await world.start(n);
    guest(world, 1).ownKib = 160 * MIB;
    world.manager.specChanged(specOf(1, 256, 512));
    await world.run(20_000);
    expect(world.actual(1)).toBe(512);
    expect(told(world)).toEqual([]);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('obeying');
  });

  it("QEMU's own need that shows under what was taken is measured, a moment later", async () => {
    const world = new World(2800 * MIB);
    await world.start(1);
    guest(world, 1).touchedKib = 700 * MIB;
    guest(world, 1).ownKib = 300 * MIB;
    await world.run(2000);
    guest(world, 1).touchedKib = null;
    world.manager.specChanged(specOf(1, 256, 512));
    await world.run(15_000);
    expect(world.manager.vmMemory(specOf(1)).overheadKib).toBeGreaterThanOrEqual(300 * MIB);
    expect(told(world)).toEqual([]);
  });
});

describe('M8: where the host does not tell what a QEMU holds', () => {
  it.each([
    [{}, 'nothing is promised twice'],
    [{ unseenCounts: true }, 'all that never came back is promised again'],
  ])('with %j off, %s', async (off, _) => {
    const world = new World(2800 * MIB, off);
    for (const n of [1, 2]) await world.start(n);
    for (const n of [1, 2]) guest(world, n).isResidentTold = false;
    await world.run(3000);
    // The host never gets anything back, and does not tell.
    const { bootKib } = await world.start(3);
    const isOverdrawn = 2 * 1024 * MIB + bootKib > 2800 * MIB;
    expect(isOverdrawn).toBe('unseenCounts' in off);
  });

  it('nothing is credited, nobody is squeezed in vain, and nothing goes to and fro', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2]) await world.start(n);
    for (const n of [1, 2]) guest(world, n).isResidentTold = false;
    await world.run(3000);
    const before = [1, 2].map(n => guest(world, n).commands.length);
    // Only what nobody was promised: 2800 less twice 1024 and what each QEMU needs beside.
    expect((await world.start(3)).bootKib).toBeLessThan(300 * MIB);
    world.manager.setPolicy({ budgetKib: 1500 * MIB });
    await world.run(60_000);
    expect([1, 2].map(n => guest(world, n).commands.length)).toEqual(before);
    expect([1, 2].map(n => world.actual(n))).toEqual([1024, 1024]);
    expect(world.manager.hostMemory().committedKib).toBeGreaterThanOrEqual(2 * 1024 * MIB);
  });

  it("what its VMs hold counts as the host's own use: less is given, nobody is moved for it, until it is told", async () => {
    const world = new World(8 * GIB);
    world.host = { ...world.host, totalKib: 8 * GIB, availableKib: 5 * GIB };
    for (const n of [1, 2]) await world.start(n);
    world.host = { ...world.host, availableKib: 3 * GIB };
    await world.run(300_000);
    const toldKib = world.manager.hostMemory().budgetKib;
    for (const n of [1, 2]) guest(world, n).isResidentTold = false;
    const before = [1, 2].map(n => guest(world, n).commands.length);
    await world.run(300_000);
    expect(toldKib - world.manager.hostMemory().budgetKib).toBeGreaterThan(1.8 * GIB);
    expect([1, 2].map(n => guest(world, n).commands.length)).toEqual(before);
    for (const n of [1, 2]) guest(world, n).isResidentTold = true;
    await world.run(300_000);
    expect(toldKib - world.manager.hostMemory().budgetKib).toBeLessThan(0.2 * GIB);
  });
});
