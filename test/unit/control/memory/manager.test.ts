// The real manager over simulated guests and a clock that only moves when told.
import { describe, expect, it } from 'vitest';
import { memoryJournalInMemory } from '../../../../electron/control/memory/journal.ts';
import { MemoryManager } from '../../../../electron/control/memory/manager.ts';
import type { MemorySwitchOffs } from '../../../../electron/control/memory/switch-offs.ts';
import type { GuestPort, GuestSample, Lease } from '../../../../electron/control/ports.ts';
import type { Clock } from '../../../../electron/platform/ports.ts';
import type { VmId } from '../../../../shared/ids.ts';
import type { VmSpec } from '../../../../shared/vm.ts';

const MIB = 1024;
const GIB = 1024 * MIB;

/** Time moves by `advance` alone; timers run in order. */
class TestClock implements Clock {
  now = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();
  wallMs(): number {
    return 1_700_000_000_000 + this.now;
  }
  monotonicMs(): number {
    return this.now;
  }
  after(delayMs: number, run: () => void) {
    const timer = { at: this.now + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  every() {
    return { cancel: () => undefined };
  }
  async advance(ms: number, each: () => void = () => undefined): Promise<void> {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 50);
      each();
      for (const timer of [...this.#timers].filter(one => one.at <= this.now)) {
        this.#timers.delete(timer);
        timer.run();
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      }
    }
  }
}

class Guest implements GuestPort {
  readonly vmId: VmId;
  actualKib: number;
  targetKib: number;
  driverReady = false;
  rateKib = 200 * MIB;
  floorKib = 0;
  touchedKib: number | null = null;
  readonly commands: number[] = [];
  constructor(vmId: VmId, bootKib: number) {
    this.vmId = vmId;
    this.actualKib = bootKib;
    this.targetKib = bootKib;
  }
  setTarget(targetKib: number): Promise<void> {
    this.targetKib = targetKib;
    this.commands.push(targetKib);
    return Promise.resolve();
  }
  sample(): Promise<GuestSample> {
    return Promise.resolve({
      actualKib: this.actualKib,
      stats: null,
      driverReady: this.driverReady,
      residentKib: this.touchedKib ?? this.actualKib,
      paused: false,
    });
  }
  /** 50 ms of a balloon's life. */
  move(): void {
    if (!this.driverReady) return;
    const step = this.rateKib / 20;
    const goal = Math.max(this.targetKib, this.floorKib);
    if (this.actualKib > goal) this.actualKib = Math.max(goal, this.actualKib - step);
    else if (this.actualKib < this.targetKib)
      this.actualKib = Math.min(this.targetKib, this.actualKib + step * 4);
  }
}

const uuid = (n: number): VmId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as VmId;
const specOf = (n: number, minMib = 256, maxMib = 1024): VmSpec => ({
  id: uuid(n),
  name: `vm${n}`,
  os: 'linux',
  cpus: 1,
  minKib: minMib * MIB,
  maxKib: maxMib * MIB,
  weight: 100,
  balanced: true,
  balloon: true,
  disks: [],
  boot: { kind: 'sample' },
  network: 'none',
  portForwards: [],
  createdAt: 0,
});

class World {
  readonly clock = new TestClock();
  readonly journal = memoryJournalInMemory();
  readonly guests = new Map<VmId, Guest>();
  manager: MemoryManager;
  readonly budgetKib: number;
  readonly off: MemorySwitchOffs;
  constructor(budgetKib: number, off: MemorySwitchOffs = {}) {
    this.budgetKib = budgetKib;
    this.off = off;
    this.manager = this.restart();
    this.manager.begin();
  }
  restart(): MemoryManager {
    this.manager?.stop();
    const figures = { totalKib: 64 * GIB, availableKib: 60 * GIB, ownKib: 0 };
    let n = 0;
    this.manager = new MemoryManager(
      {
        clock: this.clock,
        random: {
          uuid: () => `10000000-0000-4000-8000-${String(++n).padStart(12, '0')}`,
          bytes: length => new Uint8Array(length),
        },
        journal: this.journal,
        host: () => figures,
        log: () => undefined,
        switchOff: this.off,
      },
      { mode: 'proportional', budgetKib: this.budgetKib, reserveKib: GIB },
    );
    return this.manager;
  }
  run(ms: number): Promise<void> {
    return this.clock.advance(ms, () => {
      for (const guest of this.guests.values()) guest.move();
      this.check();
    });
  }
  worstKib = 0;
  /** What guests could hold at this instant, whatever the manager believes. */
  check(): void {
    let sum = 0;
    for (const guest of this.guests.values()) sum += Math.max(guest.actualKib, guest.targetKib) + 150 * MIB;
    this.worstKib = Math.max(this.worstKib, sum);
  }
  async start(n: number, spec = specOf(n)): Promise<Lease> {
    const leasing = this.manager.lease({ spec, signal: new AbortController().signal });
    let lease: Lease | null = null;
    let failure: unknown = null;
    leasing.then(
      granted => {
        lease = granted;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    for (let round = 0; round < 600 && lease === null && failure === null; round++) await this.run(100);
    if (failure !== null) throw failure;
    const granted = lease as unknown as Lease;
    const guest = new Guest(spec.id, granted.bootKib);
    this.guests.set(spec.id, guest);
    this.manager.transfer(granted, guest);
    await this.run(2000);
    guest.driverReady = true;
    await this.run(6000);
    return granted;
  }
  actual(n: number): number {
    return (this.guests.get(uuid(n))?.actualKib ?? 0) / MIB;
  }
}

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

  it('M9: a reset guest counts as all of -m until its driver is back', async () => {
    const world = new World(2800 * MIB);
    for (const n of [1, 2, 3]) await world.start(n);
    await world.run(5000);
    const guest = world.guests.get(uuid(1)) as Guest;
    const before = world.manager.hostMemory().committedKib;
    guest.driverReady = false;
    world.manager.event(uuid(1), 'reset');
    await world.run(300);
    expect(world.manager.hostMemory().committedKib).toBeGreaterThan(before);
    expect(world.manager.vmMemory(specOf(1)).balloon).toBe('booting');
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
});
