// One laptop under the real manager. A script tells what happens to it, and how long the manager takes is
// measured. Every command is judged: by M2, with what each guest may come to hold, and by M3.
import { defaultReserveKib } from '../../../electron/control/memory/budget.ts';
import { memoryJournalInMemory } from '../../../electron/control/memory/journal.ts';
import type { Lease } from '../../../electron/control/ports.ts';
import type { VmId } from '../../../shared/ids.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { Seeded } from '../../support/seeded.ts';
import { SimClock, settled } from './clock.ts';
import { Controller, type Line } from './controller.ts';
import { type DriverKind, type Load, SimGuest } from './guest.ts';
import { overheadMib } from './running.ts';
import { specOf } from './specs.ts';

const MIB = 1024;
const STEP_MS = 50;
/** As a share of the host's memory: nearer than this to where everyone will stay counts as arrived. */
const NEAR_SHARE = 0.02;

const idOf = (n: number): VmId => specOf(n, { minMib: 1, maxMib: 1 }).id;

export interface LaptopVm {
  readonly minMib: number;
  readonly maxMib: number;
  readonly kind?: DriverKind;
  readonly bootSeconds?: number;
  readonly swapMib?: number;
  readonly load: (seconds: number) => Load;
}

/** A start that waited until others gave memory. */
export interface Waited {
  readonly latencyMs: number;
  /** How long the slowest donor took from hearing its command until it had given. */
  readonly donorMs: number;
  /** How long until it would have fitted had all that were up given at once: others boot or hold leases. */
  readonly bootsMs: number;
}

interface Donor {
  readonly heardMs: number;
  gaveMs: number | null;
}
interface Pending {
  readonly donors: Map<SimGuest, Donor>;
  readonly askedMs: number;
  /** At every step since then, the room for a lease beside those granted by then. */
  readonly rooms: { readonly atMs: number; mib: number }[];
}

export class Laptop {
  readonly clock = new SimClock();
  readonly random: Seeded;
  readonly guests = new Map<VmId, SimGuest>();
  readonly violations: string[] = [];
  /** From an event to the plan that follows from it; `noticedMs` for events that nobody reported. */
  readonly plannedMs: number[] = [];
  readonly noticedMs: number[] = [];
  /** From an event until everyone is where they stay until the next event. */
  readonly convergedMs: number[] = [];
  readonly waited: Waited[] = [];
  readonly startMs: number[] = [];
  readonly refused: unknown[] = [];
  useMib = 1500;
  commands = 0;
  readonly #totalMib: number;
  readonly #mode: HostMemory['mode'];
  readonly #controller: Controller;
  readonly #lines = new Map<VmId, Line>();
  readonly #pending = new Set<Pending>();
  readonly #leases = new Set<Lease>();
  #eventMs: number | null = null;
  /** The list that the time until the next plan goes into. */
  #toPlan: number[] | null = null;
  #trail: { atMs: number; actual: ReadonlyMap<VmId, number> }[] = [];

  constructor({ seed, mode, totalMib }: { seed: number; mode: HostMemory['mode']; totalMib: number }) {
    this.random = new Seeded(seed);
    this.#mode = mode;
    this.#totalMib = totalMib;
    this.#controller = new Controller({
      clock: this.clock,
      random: this.random,
      journal: memoryJournalInMemory(),
      host: () => {
        this.#looked();
        return {
          totalKib: totalMib * MIB,
          availableKib: Math.max(0, Math.round((totalMib - this.heldMib) * MIB)),
          ownKib: 0,
          stalled: null,
        };
      },
      policy: { mode },
      switchOff: {},
      sent: (guest, targetMib) => this.#sent(guest, targetMib),
      heard: (guest, targetMib) => this.#heard(guest, targetMib),
      died: () => undefined,
      log: line => {
        if (line.includes('a round failed')) this.#blame(`M5 ${line}`);
      },
    });
    this.#controller.manager.begin();
  }

  get #nowMs(): number {
    return this.clock.monotonicMs();
  }
  /** The host's memory that is touched. */
  get heldMib(): number {
    return [...this.guests.values()].reduce((sum, guest) => sum + guest.residentMib, this.useMib);
  }
  /**
   * How much more everyone may come to hold than there is, without the host's reserve, which is not for VMs.
   */
  get overMib(): number {
    const reserve = defaultReserveKib(this.#totalMib * MIB) / MIB;
    let sum = Math.max(reserve, this.useMib) - this.#totalMib;
    for (const guest of this.guests.values()) sum += guest.promisedMib + guest.setup.overheadMib;
    for (const { bootKib } of this.#leases) sum += bootKib / MIB + overheadMib(bootKib / MIB);
    return sum;
  }

  /** What could be leased at once if every guest that is up had gone to its minimum. */
  get #roomMib(): number {
    const reserve = defaultReserveKib(this.#totalMib * MIB) / MIB;
    let room = this.#totalMib - Math.max(reserve, this.useMib);
    for (const { setup, promisedMib, isDriverReady } of this.guests.values())
      room -=
        (isDriverReady ? Math.min(promisedMib, setup.spec.minKib / MIB) : promisedMib) + setup.overheadMib;
    for (const { bootKib } of this.#leases) room -= bootKib / MIB + overheadMib(bootKib / MIB);
    return room;
  }

  async run(seconds: number): Promise<void> {
    // What was just told is handled before time goes on.
    await settled();
    for (const end = this.#nowMs + seconds * 1000; this.#nowMs < end; ) {
      await this.clock.advance(STEP_MS);
      for (const guest of this.guests.values()) {
        const wasReady = guest.isDriverReady;
        guest.isHung = this.#nowMs < (this.#lines.get(guest.id)?.hungUntilMs ?? 0);
        guest.step(STEP_MS / 1000, this.#nowMs / 1000);
        if (!wasReady && guest.isDriverReady)
          this.#controller.tell(manager => manager.event(guest.id, 'guest-up'));
      }
      this.#watchDonors();
      const actual = new Map([...this.guests].map(([id, guest]) => [id, guest.actual]));
      if (this.#eventMs !== null) this.#trail.push({ atMs: this.#nowMs, actual });
    }
  }

  end(): void {
    this.#converged();
    this.#controller.die();
  }

  // ── what happens ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** From here on what follows is measured. `isTold`: the manager is told, and does not have to find out. */
  event(what: () => void, isTold = true): void {
    this.#converged();
    this.#eventMs = this.#nowMs;
    // `#toPlan` is set afterwards: a start looks at the host itself before anything is planned.
    what();
    this.#toPlan = isTold ? this.plannedMs : this.noticedMs;
  }

  /** Resolves when the VM runs or is refused. `saved`: the guest goes on from there, as large as it was. */
  async start(n: number, vm: LaptopVm, saved: SimGuest | null = null): Promise<void> {
    const spec = specOf(n, vm);
    const askedMs = this.#nowMs;
    const pending: Pending = { donors: new Map(), askedMs, rooms: [] };
    this.#pending.add(pending);
    const exactKib = saved === null ? {} : { exactKib: saved.setup.bootMib * MIB };
    try {
      const lease = await this.#controller.manager.lease({
        spec,
        ...exactKib,
        signal: new AbortController().signal,
      });
      this.#leases.add(lease);
      this.#granted(pending, lease);
      await this.clock.sleep(100);
      this.#spawn(spec, vm, lease, saved);
    } catch (error) {
      this.refused.push(error);
    } finally {
      this.#pending.delete(pending);
    }
  }

  stop(n: number, why: 'stopped' | 'suspended' = 'stopped'): SimGuest | null {
    const guest = this.guests.get(idOf(n)) ?? null;
    if (guest === null) return null;
    this.guests.delete(guest.id);
    guest.isGone = true;
    this.#controller.tell(manager => manager.detach(guest.id, why));
    return guest;
  }

  setRange(n: number, minMib: number, maxMib: number): void {
    const spec = specOf(n, { minMib, maxMib });
    const guest = this.guests.get(spec.id);
    if (guest === undefined) return;
    Object.assign(guest.setup, { spec });
    this.#controller.tell(manager => manager.specChanged(spec));
  }

  /** The lid is closed: nothing runs, only the wall clock goes on. */
  sleep(hours: number): void {
    this.clock.wallOffsetMs += hours * 3_600_000;
  }

  /** How this VM's QMP answers. */
  line(n: number): Line | null {
    return this.#lines.get(idOf(n)) ?? null;
  }

  #spawn(spec: VmSpec, vm: LaptopVm, lease: Lease, saved: SimGuest | null): void {
    const bootMib = lease.bootKib / MIB;
    const setup = {
      spec,
      bootMib,
      kind: vm.kind ?? 'normal',
      bootSeconds: vm.bootSeconds ?? 8,
      swapMib: vm.swapMib ?? 1024,
      overheadMib: Math.floor(overheadMib(bootMib)),
      load: vm.load,
      random: this.random,
    };
    const guest = new SimGuest(setup, this.#nowMs / 1000, saved !== null);
    // Its balloon was saved with it.
    if (saved !== null) guest.actual = guest.target = saved.actual;
    const line: Line = { guest, hungUntilMs: 0, latencyMs: 2 + this.random.below(20) };
    this.guests.set(spec.id, guest);
    this.#lines.set(spec.id, line);
    this.#leases.delete(lease);
    this.#controller.tell(manager => manager.transfer(lease, this.#controller.port(line)));
  }

  // ── what is measured and judged ───────────────────────────────────────────────────────────────────────────────────

  #blame(what: string): void {
    this.violations.push(`${this.#mode} ${(this.#nowMs / 1000).toFixed(2)} s: ${what}`);
  }

  /** The loop looks at the host just before it plans. */
  #looked(): void {
    if (this.#eventMs !== null) this.#toPlan?.push(this.#nowMs - this.#eventMs);
    this.#toPlan = null;
  }

  #sent(guest: SimGuest, targetMib: number): void {
    this.commands++;
    const { spec, bootMib } = guest.setup;
    const leastMib = Math.min(spec.minKib / MIB, bootMib);
    if (targetMib < leastMib && targetMib < Math.floor(guest.actual))
      this.#blame(`M3 ${spec.name} asked for ${targetMib}, below its minimum ${leastMib}`);
    const moreMib = targetMib - guest.promisedMib;
    // Each target is rounded up to whole MiB.
    if (moreMib > 1 && this.overMib + moreMib > this.guests.size + 1)
      this.#blame(`M2 ${spec.name} given ${Math.round(moreMib)} MiB, more than there is`);
  }

  #heard(guest: SimGuest, targetMib: number): void {
    guest.ask(targetMib);
    if (guest.target >= guest.actual - 1) return;
    for (const { donors } of this.#pending) {
      const heardMs = donors.get(guest)?.heardMs ?? this.#nowMs;
      donors.set(guest, { heardMs, gaveMs: null });
    }
  }

  /** A donor seen at the end of a step may have given at its beginning at the earliest, which counts. */
  #watchDonors(): void {
    for (const pending of this.#pending) {
      pending.rooms.push({ atMs: this.#nowMs, mib: this.#roomMib });
      for (const [guest, donor] of pending.donors)
        if (guest.actual <= guest.target) donor.gaveMs ??= this.#nowMs - STEP_MS;
    }
  }

  #granted(pending: Pending, { bootKib }: Lease): void {
    const { donors, rooms, askedMs } = pending;
    const latencyMs = this.#nowMs - askedMs;
    this.startMs.push(latencyMs);
    const neededMib = bootKib / MIB + overheadMib(bootKib / MIB);
    this.#pending.delete(pending);
    // For starts that came later this room was never there.
    for (const other of this.#pending)
      if (other.askedMs >= askedMs) for (const room of other.rooms) room.mib -= neededMib;
    const bootsMs = (rooms.findLast(({ mib }) => mib < neededMib)?.atMs ?? askedMs) - askedMs;
    // The manager does not wait for guests that do not give, so their time measures nothing.
    const willing = [...donors].filter(([guest]) => guest.setup.kind === 'normal' && !guest.isHung);
    const gave = willing.map(([, { heardMs, gaveMs }]) => (gaveMs ?? this.#nowMs) - heardMs);
    if (donors.size > 0) this.waited.push({ latencyMs, donorMs: Math.max(0, ...gave), bootsMs });
  }

  #converged(): void {
    const stays = this.#trail.at(-1)?.actual ?? new Map<VmId, number>();
    const away = (actual: ReadonlyMap<VmId, number>): number =>
      [...stays].reduce((sum, [id, mib]) => sum + Math.abs((actual.get(id) ?? 0) - mib), 0);
    const last = this.#trail.findLast(({ actual }) => away(actual) > NEAR_SHARE * this.#totalMib);
    if (this.#eventMs !== null && this.#trail.length > 0)
      this.convergedMs.push(last === undefined ? 0 : last.atMs - this.#eventMs);
    this.#trail = [];
    this.#eventMs = null;
  }
}
