// The real memory manager over simulated guests and a clock that only moves when told.
import { type MemoryJournal, memoryJournalInMemory } from '../../electron/control/memory/journal.ts';
import { MemoryManager } from '../../electron/control/memory/manager.ts';
import type { MemorySwitchOffs } from '../../electron/control/memory/switch-offs.ts';
import type {
  AgentFigures,
  GuestPort,
  GuestSample,
  GuestStats,
  Lease,
} from '../../electron/control/ports.ts';
import type { Clock } from '../../electron/platform/ports.ts';
import type { VmGroups } from '../../electron/platform/vm-groups.ts';
import type { VmId } from '../../shared/ids.ts';
import type { VmSpec } from '../../shared/vm.ts';
import { PLAIN_SETUP } from '../../shared/vm-setup.ts';

export const MIB = 1024;
export const GIB = 1024 * MIB;

/** Time moves by `advance` alone; timers run in order. */
export class TestClock implements Clock {
  now = 0;
  /** What the wall clock is ahead by: time slept, or somebody set it. */
  aheadMs = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();
  wallMs(): number {
    return 1_700_000_000_000 + this.now + this.aheadMs;
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

export class Guest implements GuestPort {
  readonly vmId: VmId;
  actualKib: number;
  targetKib: number;
  driverReady = false;
  rateKib = 200 * MIB;
  floorKib = 0;
  isPaused = false;
  touchedKib: number | null = null;
  /** The host says what its QEMU holds. */
  isResidentTold = true;
  /** Of QEMU itself. */
  ownKib = 0;
  /** What its statistics say it uses; null: it has none to tell. */
  usedKib: number | null = null;
  agent: AgentFigures | null = null;
  readonly commands: number[] = [];
  pid?: number;
  /** Looked at when it hears of a target. */
  onTarget: () => void = () => undefined;
  readonly #bootKib: number;
  readonly #clock: Clock;
  constructor(vmId: VmId, bootKib: number, clock: Clock = new TestClock()) {
    this.vmId = vmId;
    this.#bootKib = bootKib;
    this.#clock = clock;
    this.actualKib = bootKib;
    this.targetKib = bootKib;
  }
  setTarget(targetKib: number): Promise<void> {
    this.targetKib = targetKib;
    this.commands.push(targetKib);
    this.onTarget();
    return Promise.resolve();
  }
  sample(): Promise<GuestSample> {
    return Promise.resolve({
      actualKib: this.actualKib,
      stats: this.#stats(),
      agent: this.agent,
      driverReady: this.driverReady,
      residentKib: this.isResidentTold ? (this.touchedKib ?? this.actualKib) + this.ownKib : null,
      paused: this.isPaused,
    });
  }
  #stats(): GuestStats | null {
    if (this.usedKib === null) return null;
    const availableKib = Math.max(0, this.actualKib - this.usedKib);
    return {
      totalKib: this.#bootKib,
      freeKib: availableKib,
      availableKib,
      cachesKib: 0,
      swapInKib: 0,
      swapOutKib: 0,
      majorFaults: 0,
      updatedAtMs: this.#clock.wallMs(),
    };
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

export const uuid = (n: number): VmId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as VmId;
export const specOf = (n: number, minMib = 256, maxMib = 1024): VmSpec => ({
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
  ...PLAIN_SETUP,
  createdAt: 0,
});

export class World {
  readonly clock = new TestClock();
  readonly journal: MemoryJournal = memoryJournalInMemory();
  /** What the host says of itself, from its next look on. */
  host = { totalKib: 64 * GIB, availableKib: 60 * GIB, ownKib: 0, stalled: null as number | null };
  readonly guests = new Map<VmId, Guest>();
  manager: MemoryManager;
  readonly log: string[] = [];
  readonly budgetKib: number;
  readonly off: MemorySwitchOffs;
  readonly groups: VmGroups | null;
  readonly pids = new Map<VmId, number>();
  constructor(budgetKib: number, off: MemorySwitchOffs = {}, groups: VmGroups | null = null) {
    this.budgetKib = budgetKib;
    this.off = off;
    this.groups = groups;
    this.manager = this.restart();
    this.manager.begin();
  }
  restart(): MemoryManager {
    this.manager?.stop();
    let n = 0;
    this.manager = new MemoryManager(
      {
        clock: this.clock,
        random: {
          uuid: () => `10000000-0000-4000-8000-${String(++n).padStart(12, '0')}`,
          bytes: length => new Uint8Array(length),
        },
        journal: this.journal,
        host: () => this.host,
        log: line => void this.log.push(line),
        switchOff: this.off,
        groups: this.groups,
      },
      { mode: 'proportional', budgetKib: this.budgetKib, reserveKib: GIB },
    );
    return this.manager;
  }
  run(ms: number, each: () => void = () => undefined): Promise<void> {
    return this.clock.advance(ms, () => {
      for (const guest of this.guests.values()) guest.move();
      this.check();
      each();
    });
  }
  worstKib = 0;
  /** What guests could hold at this instant, whatever the manager believes. */
  check(): void {
    this.worstKib = Math.max(this.worstKib, this.couldHoldKib());
  }
  /** `really`: of those whose figures are not the truth. */
  couldHoldKib(really: Readonly<Record<string, number>> = {}): number {
    let sum = 0;
    for (const [id, guest] of this.guests)
      sum += Math.max(really[id] ?? guest.actualKib, guest.targetKib) + 150 * MIB;
    return sum;
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
    const guest = new Guest(spec.id, granted.bootKib, this.clock);
    this.guests.set(spec.id, guest);
    const pid = this.pids.get(spec.id);
    if (pid !== undefined) guest.pid = pid;
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

/** Two VMs at rest. */
export async function worldOfTwo(budgetKib: number): Promise<World> {
  const world = new World(budgetKib);
  await world.start(1);
  await world.start(2);
  await world.run(3000);
  return world;
}
