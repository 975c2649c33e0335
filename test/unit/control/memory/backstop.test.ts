// The kernel keeps a QEMU to what it was promised: raised before a give, lowered after a take was seen, never below what it holds.
import { beforeEach, describe, expect, it } from 'vitest';
import { Backstop, highKibOf } from '../../../../electron/control/memory/backstop.ts';
import type { MemorySwitchOffs } from '../../../../electron/control/memory/switch-offs.ts';
import { vmGroups } from '../../../../electron/platform/vm-groups.ts';
import { FakeCgroups } from '../../../support/fake-cgroups.ts';
import { type Guest, MIB, specOf, uuid, World } from '../../../support/memory-world.ts';

const EBB = 10;
const GROUP = '/ebb.scope';
const groupOf = (n: number): string => `${GROUP}/ebb-vm-${uuid(n)}`;

let files: FakeCgroups;
let world: World;

/** Two VMs at rest. */
async function start(off: MemorySwitchOffs = {}): Promise<void> {
  files = new FakeCgroups(GROUP, [EBB]);
  const groups = vmGroups({ files, root: FakeCgroups.ROOT, own: [EBB], processors: 2 });
  world = new World(2400 * MIB, off, groups);
  for (const n of [1, 2]) {
    files.groups.get(`${GROUP}/ebb-service`)?.procs.add(100 + n);
    world.pids.set(uuid(n), 100 + n);
    await world.start(n, specOf(n, 256, 1024));
  }
  await world.run(5000);
}
beforeEach(() => start());

const guest = (n: number): Guest => world.guests.get(uuid(n)) as Guest;
const highMib = (n: number): number => Number(files.high(groupOf(n))) / 1024 / MIB;
/** What it may come to hold, with what a QEMU needs beside (memory-world's guests need nothing). */
const promisedMib = (n: number): number => {
  const { targetKib, overheadKib } = world.manager.vmMemory(specOf(n));
  return (Math.max(guest(n).actualKib, targetKib ?? 0) + overheadKib) / MIB;
};

describe('the backstop', () => {
  it('each QEMU has room for what it was promised and a little more', () => {
    for (const n of [1, 2]) {
      expect(highMib(n)).toBeGreaterThanOrEqual(promisedMib(n));
      expect(highMib(n)).toBeLessThanOrEqual(promisedMib(n) + 64 + 16);
    }
  });

  /** The least room that VM 1 had beyond what it may hold, while it gives 624 MiB and is given 500 again. */
  async function leastRoomMib(): Promise<number> {
    const rooms: number[] = [];
    const look = (): void =>
      void rooms.push(highMib(1) - Math.max(guest(1).actualKib, guest(1).targetKib) / MIB);
    guest(1).onTarget = look;
    const before = highMib(1);
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(5000, look);
    expect(guest(1).actualKib).toBe(400 * MIB);
    expect(highMib(1)).toBeLessThan(before - 500);
    world.manager.specChanged(specOf(1, 256, 900));
    await world.run(5000, look);
    expect(guest(1).actualKib).toBe(900 * MIB);
    expect(rooms.length).toBeGreaterThan(100);
    return Math.min(...rooms);
  }

  it('M3: lowered only as its release is seen, raised before it is given: at no instant is it below what it may hold', async () => {
    expect(await leastRoomMib()).toBeGreaterThanOrEqual(64);
  });

  it('M3: raised only after, it is', async () => {
    await start({ raiseFirst: true });
    expect(await leastRoomMib()).toBeLessThan(0);
  });

  it('never below what it holds, whatever was promised', async () => {
    guest(1).touchedKib = 1500 * MIB;
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(5000);
    expect(highMib(1)).toBeGreaterThanOrEqual(1500 + 64);
  });

  it('a guest that resets may use all it was started with again', async () => {
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(5000);
    guest(1).driverReady = false;
    world.manager.event(uuid(1), 'reset');
    await world.run(200);
    expect(highMib(1)).toBeGreaterThan(1024 + 64);
  });

  it('goes with its QEMU; and when Ebb goes nobody is limited any more', async () => {
    files.groups.get(groupOf(1))?.procs.clear();
    world.guests.delete(uuid(1));
    world.manager.detach(uuid(1), 'stopped');
    expect(files.groups.has(groupOf(1))).toBe(false);
    world.manager.stop();
    expect(files.high(groupOf(2))).toBe('max');
  });

  it('M9: a control that died left a limit that is safe; the next one finds it and goes on', async () => {
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(5000);
    const left = highMib(1);
    expect(left).toBeGreaterThanOrEqual(promisedMib(1));
    const groups = vmGroups({ files, root: FakeCgroups.ROOT, own: [EBB], processors: 2 });
    const next = new Backstop(groups, line => world.log.push(line));
    next.enter(uuid(1), 101);
    expect(highMib(1)).toBe(left);
    next.follow(uuid(1), 900 * MIB, 0);
    expect(highMib(1)).toBe(highKibOf(900 * MIB, 0) / MIB);
  });

  it('M9: the limit that control before left keeps nothing that is given from its guest', () => {
    const groups = vmGroups({ files, root: FakeCgroups.ROOT, own: [EBB], processors: 2 });
    const next = new Backstop(groups, line => world.log.push(line));
    next.enter(uuid(1), 101);
    next.follow(uuid(1), 900 * MIB, null);
    next.raise(uuid(1), 2000 * MIB);
    expect(files.high(groupOf(1))).toBe('max');
  });

  it('where nobody knows what it holds it is not lowered, only raised', () => {
    const backstop = new Backstop(
      vmGroups({ files, root: FakeCgroups.ROOT, own: [EBB], processors: 2 }),
      () => undefined,
    );
    backstop.enter(uuid(1), 101);
    const before = highMib(1);
    backstop.follow(uuid(1), 10 * MIB, null);
    expect(highMib(1)).toBe(before);
    backstop.follow(uuid(1), 700 * MIB, 0);
    backstop.follow(uuid(1), 10 * MIB, null);
    expect(highMib(1)).toBe(768);
    backstop.follow(uuid(1), 900 * MIB, null);
    expect(highMib(1)).toBe(976);
  });

  it('a limit that cannot be set is told once; memory is moved as ever', async () => {
    files.isReadOnly = true;
    world.manager.specChanged(specOf(1, 256, 400));
    await world.run(5000);
    expect(guest(1).actualKib).toBe(400 * MIB);
    expect(world.log.filter(line => line.includes(`the limit of ${uuid(1)}`))).toHaveLength(1);
  });
});
