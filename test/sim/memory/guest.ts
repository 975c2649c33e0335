// A guest as its host sees it: anonymous memory, swap, page cache, and a balloon driver of some kind. Figures
// were measured on real QEMU (research/qemu.md); the pressure model is research/memory.md §7. Amounts in MiB,
// time in seconds.
import type { GuestSample, GuestStats } from '../../../electron/control/ports.ts';
import type { VmId } from '../../../shared/ids.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Seeded } from '../../support/seeded.ts';

export type DriverKind =
  | 'normal'
  | 'slow'
  | 'stuck'
  | 'intermittent'
  | 'floor'
  | 'ceiling'
  | 'dies-mid-way'
  | 'silent'
  | 'lying'
  | 'self-deflating'
  | 'none';

/** What runs in a guest at one instant. */
export interface Load {
  /** Anonymous memory that it wants. */
  readonly demandMib: number;
  /** Page cache that makes it faster. */
  readonly hotMib: number;
  /** Files read for the first time: they fill whatever is free. */
  readonly readMibPerS: number;
}

export interface GuestSetup {
  readonly spec: VmSpec;
  readonly bootMib: number;
  readonly kind: DriverKind;
  /** Seconds until its driver is loaded. */
  readonly bootSeconds: number;
  readonly swapMib: number;
  readonly overheadMib: number;
  readonly load: (seconds: number) => Load;
  readonly random: Seeded;
  /** Memory at the start, where the platform can grow a guest beyond it; else `-m`. */
  readonly startMib?: number;
  /** The guest that was saved: this one goes on from there, once its memory is read. */
  readonly saved?: SimGuest;
}

const MIB = 1024;
export const KERNEL = 120;
const INFLATE_FREE = 800;
const INFLATE_CACHE = 400;
const INFLATE_SWAP = 60;
const DEFLATE = 1500;
const SLOW = 10;
const SWAP_OUT = 300;
const SWAP_IN = 60;
/** This share of what was swapped out is touched again and again. */
const HOT_SHARE = 0.25;
const FAULTS_PER_MIB = 32;
const OOM_PAUSE_S = 30;
/** The longest time from a driver's being ready to its first figure. */
const LOADS_MS = 500;
/** Hidden limits of some drivers, as shares of `-m`. */
const FLOOR_SHARE = 0.6;
const CEILING_SHARE = 0.7;
/** The most that a driver which dies in the middle of a move moves before. */
const LIFE_MIB = 1500;

export class SimGuest {
  readonly setup: GuestSetup;
  actual: number;
  target: number;
  /** QEMU reports the driver as ready a moment before the driver has said what it holds. */
  isDriverReady = false;
  #isLoaded = false;
  #loadsAt = 0;
  isPaused = false;
  /** Its QEMU hangs; so does its balloon, which the thread that answers QMP serves. */
  isHung = false;
  /** It was killed or powered off. */
  isGone = false;
  resident = 0;
  swapped = 0;
  cache = 0;
  unmet = 0;
  perf = 1;
  psi = 0;
  ranOut = 0;
  killed = 0;
  swapIoMib = 0;
  movedMib = 0;
  flips = 0;
  #direction = 0;
  #lifeMib = 0;
  #heldAtReset = 0;
  #readyAt: number;
  #now = 0;
  #bornAt: number;
  #killedUntil = -1;
  #swapIn = 0;
  #swapOut = 0;
  #faults = 0;
  #stats: GuestStats | null = null;
  #statsAt = -1;
  #saved: SimGuest | null;

  constructor(setup: GuestSetup, now: number, isUp = false) {
    this.setup = setup;
    this.#saved = setup.saved ?? null;
    this.actual = setup.startMib ?? setup.bootMib;
    this.target = this.actual;
    this.#bornAt = now;
    this.#now = now;
    this.#readyAt = now + (isUp ? 0 : setup.bootSeconds);
    this.#revive();
    if (isUp) {
      this.isDriverReady = setup.kind !== 'none';
      this.#isLoaded = this.isDriverReady;
      this.resident = Math.min(setup.load(0).demandMib, this.actual - KERNEL);
    }
  }

  get id(): VmId {
    return this.setup.spec.id;
  }

  get demand(): number {
    return this.setup.load(this.#now - this.#bornAt).demandMib;
  }

  get load(): Load {
    return this.setup.load(this.#now - this.#bornAt);
  }

  /** M2: what it may come to hold at once. Without a loaded driver nothing limits it. */
  get promisedMib(): number {
    return this.#isLoaded ? Math.max(this.actual, this.target) : (this.setup.startMib ?? this.setup.bootMib);
  }

  get isMoving(): boolean {
    return !this.#isLoaded || Math.abs(this.actual - this.target) > 0.01;
  }

  get residentMib(): number {
    const used = Math.min(this.setup.bootMib, KERNEL + this.resident + this.cache);
    // The host keeps what a reset guest no longer uses until a driver reports it free.
    return (this.#isLoaded ? used : Math.max(used, this.#heldAtReset)) + this.setup.overheadMib;
  }

  get room(): number {
    return Math.max(0, this.actual - KERNEL);
  }

  ask(targetMib: number): void {
    this.target = Math.min(this.setup.bootMib, targetMib);
  }

  /** Firmware and a new kernel begin; `actual` stays what it was (qemu.md §2). */
  reset(): void {
    this.#saved = null;
    this.#heldAtReset = this.residentMib - this.setup.overheadMib;
    this.isDriverReady = false;
    this.#isLoaded = false;
    this.#readyAt = this.#now + this.setup.bootSeconds;
    this.#bornAt = this.#now;
    this.resident = 0;
    this.swapped = 0;
    this.cache = 0;
    this.#statsAt = -1;
    this.#revive();
  }

  /** QEMU reads the balloon with the other state: a target sent meanwhile is replaced by the saved one. */
  #goOn(saved: SimGuest): void {
    this.#saved = null;
    this.isDriverReady = true;
    this.#isLoaded = true;
    this.actual = saved.actual;
    this.target = saved.target;
    this.resident = saved.resident;
    this.swapped = saved.swapped;
    this.cache = saved.cache;
  }

  #revive(): void {
    if (this.setup.kind === 'dies-mid-way') this.#lifeMib = 1 + this.setup.random.below(LIFE_MIB);
  }

  step(dt: number, now: number): void {
    this.#now = now;
    if (this.isGone) return;
    if (this.#saved !== null) {
      if (now >= this.#readyAt) this.#goOn(this.#saved);
      return;
    }
    // Also while it is paused: a controller that begins in this half second could not tell it from a settled
    // guest.
    if (this.isDriverReady && !this.#isLoaded && now >= this.#loadsAt) {
      this.#isLoaded = true;
      this.actual = this.setup.startMib ?? this.setup.bootMib;
    }
    if (this.isPaused) return;
    if (!this.isDriverReady && now >= this.#readyAt && this.setup.kind !== 'none') {
      this.isDriverReady = true;
      this.#loadsAt = now + this.setup.random.below(LOADS_MS) / 1000;
    }
    this.#balloon(dt);
    const load = this.load;
    this.#allocate(now < this.#killedUntil ? load.demandMib * 0.4 : load.demandMib);
    const out = this.#makeRoom(dt);
    const back = this.#fault(dt);
    this.#fillCache(load, dt);
    this.#feel(load, { out: out / dt, back: back / dt }, dt);
    this.#report(now);
  }

  #allocate(demand: number): void {
    const held = this.resident + this.swapped;
    if (demand < held) {
      this.resident *= demand / held;
      this.swapped *= demand / held;
    } else this.resident += demand - held;
  }

  /**
   * What does not fit goes to swap at the disk's speed; what swap cannot take waits, or the guest runs out.
   */
  #makeRoom(dt: number): number {
    const room = this.#isLoaded ? this.room : this.setup.bootMib - KERNEL;
    const over = Math.max(0, this.resident - room);
    const out = Math.min(over, SWAP_OUT * dt, Math.max(0, this.setup.swapMib - this.swapped));
    this.swapped += out;
    this.resident -= over;
    this.unmet = over - out;
    this.#swapOut += out;
    this.swapIoMib += out;
    if (this.unmet > 1 && this.swapped >= this.setup.swapMib - 1) this.#runOut();
    this.cache = Math.min(this.cache, Math.max(0, room - this.resident));
    return out;
  }

  /** deflate-on-oom: the balloon shrinks before a process is killed. The host is not asked. */
  #runOut(): void {
    if (this.isHung) return;
    const back = Math.min(this.unmet, this.setup.bootMib - this.actual, 64);
    if (back > 0 && this.setup.kind !== 'stuck') {
      this.actual += back;
      if (this.psi < 99) this.ranOut += back / 64;
      return;
    }
    this.killed++;
    this.#killedUntil = this.#now + OOM_PAUSE_S;
  }

  #fault(dt: number): number {
    const space = Math.max(0, this.room - this.resident);
    const hot = this.swapped * HOT_SHARE;
    const back =
      space > 1 ? Math.min(SWAP_IN * dt, this.swapped, space) : Math.min(SWAP_IN * dt, hot * dt * 0.5);
    this.#swapIn += back;
    this.#faults += back * FAULTS_PER_MIB;
    this.swapIoMib += back;
    if (space > 1) {
      this.swapped -= back;
      this.resident += back;
    } else {
      // What comes back pushes something else out.
      this.#swapOut += back;
      this.swapIoMib += back;
    }
    return back;
  }

  #fillCache(load: Load, dt: number): void {
    const space = Math.max(0, this.room - this.resident);
    const wanted = load.readMibPerS > 0 ? space : Math.max(this.cache, Math.min(space, load.hotMib));
    this.cache = Math.min(wanted, space, this.cache + Math.max(load.readMibPerS, 40) * dt);
  }

  #feel(load: Load, swap: { out: number; back: number }, dt: number): void {
    const warm = load.hotMib <= 0 ? 1 : Math.min(1, this.cache / load.hotMib);
    const paging = 1 - 0.6 * Math.min(1, swap.out / 200);
    this.perf =
      (1 / (1 + (8 * this.swapped) / Math.max(1, load.demandMib))) *
      (0.85 + 0.15 * warm) *
      paging *
      (this.unmet > 1 ? 0.3 : 1);
    const stalled = Math.min(1, swap.back / SWAP_IN + (0.3 * swap.out) / SWAP_OUT + (this.unmet > 1 ? 1 : 0));
    this.psi += (100 * stalled - this.psi) * (1 - Math.exp(-dt / 10));
  }

  #balloon(dt: number): void {
    if (!this.#isLoaded || this.isHung || this.setup.kind === 'none') return;
    const before = this.actual;
    if (this.setup.kind === 'self-deflating' && this.setup.random.below(Math.round(40 / dt)) === 0)
      this.actual = Math.min(this.setup.bootMib, this.actual + 64 + this.setup.random.below(192));
    else this.#follow(dt);
    const moved = this.actual - before;
    this.movedMib += Math.abs(moved);
    const direction = Math.sign(moved);
    if (direction !== 0 && direction !== this.#direction) {
      if (this.#direction !== 0) this.flips++;
      this.#direction = direction;
    }
  }

  #follow(dt: number): void {
    const { kind, bootMib } = this.setup;
    if (kind === 'stuck' || (kind === 'intermittent' && this.#now % 20 >= 1)) return;
    const limit = kind === 'slow' ? SLOW * dt : kind === 'dies-mid-way' ? this.#lifeMib : Infinity;
    const least = kind === 'floor' ? bootMib * FLOOR_SHARE : 0;
    const most = kind === 'ceiling' ? Math.max(this.actual, bootMib * CEILING_SHARE) : bootMib;
    const wayMib = Math.min(most, Math.max(least, this.target)) - this.actual;
    const moved = Math.min(Math.abs(wayMib), limit, wayMib > 0 ? DEFLATE * dt : this.#inflatable(dt));
    this.actual += Math.sign(wayMib) * moved;
    if (kind === 'dies-mid-way') this.#lifeMib -= moved;
  }

  #inflatable(dt: number): number {
    const free = Math.max(0, this.room - this.resident - this.cache);
    const fromFree = Math.min(free, INFLATE_FREE * dt);
    const left = dt - fromFree / INFLATE_FREE;
    const fromCache = Math.min(this.cache, INFLATE_CACHE * left);
    const rest = left - fromCache / INFLATE_CACHE;
    const swapFree = Math.max(0, this.setup.swapMib - this.swapped);
    return fromFree + fromCache + Math.min(Math.max(0, rest) * INFLATE_SWAP, swapFree);
  }

  /** The driver sends its figures once a second. */
  #report(now: number): void {
    if (!this.#isLoaded || Math.floor(now) === this.#statsAt) return;
    this.#statsAt = Math.floor(now);
    const free = Math.max(0, this.room - this.resident - this.cache);
    const kib = (mib: number): number => Math.round(mib * MIB);
    const honest = {
      totalKib: kib(this.setup.bootMib - 40),
      freeKib: kib(free),
      availableKib: kib(Math.max(0, free + this.cache * 0.95 - 16)),
      cachesKib: kib(this.cache),
      swapInKib: kib(this.#swapIn),
      swapOutKib: kib(this.#swapOut),
      majorFaults: Math.round(this.#faults),
      updatedAtMs: this.#statsAt * 1000,
    };
    if (this.setup.kind === 'silent') return;
    this.#stats = this.setup.kind === 'lying' ? this.#lie(honest) : honest;
  }

  #lie(honest: GuestStats): GuestStats {
    const garbage = [2 ** 54, -1, Number.NaN, 2 ** 64 / 1024];
    const wild = this.setup.random.below(8) === 0 ? this.setup.random.pick(garbage) : null;
    return {
      ...honest,
      availableKib: wild ?? 1000,
      freeKib: wild ?? 500,
      swapInKib: this.#statsAt * 50_000,
      swapOutKib: wild ?? this.#statsAt * 90_000,
      majorFaults: this.#statsAt * 10_000,
    };
  }

  /** `epochMs`: the wall clock at the world's second zero. */
  sample(epochMs: number): GuestSample {
    const stats = this.#stats;
    return {
      actualKib: this.setup.spec.balloon ? Math.round(this.actual * MIB) : null,
      stats: stats === null ? null : { ...stats, updatedAtMs: stats.updatedAtMs + epochMs },
      driverReady: this.isDriverReady,
      residentKib: Math.round(this.residentMib * MIB),
      paused: this.isPaused,
    };
  }
}
