// M2 and M3 at every step: the real manager, guests of every kind, a host that grows and shrinks, a controller that dies at
// any step. The judge knows the truth: what every guest may come to hold, whatever the manager believes.
import { defaultReserveKib } from '../../../electron/control/memory/budget.ts';
import { memoryJournalInMemory } from '../../../electron/control/memory/journal.ts';
import type { MemorySwitchOffs } from '../../../electron/control/memory/switch-offs.ts';
import type { Lease } from '../../../electron/control/ports.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import { Seeded } from '../../support/seeded.ts';
import { newGuest, newSpec, savedGuest } from './births.ts';
import { SimClock } from './clock.ts';
import { Controller } from './controller.ts';
import { feasibleMib, leastLeftMib, type Room } from './feasible.ts';
import type { DriverKind, SimGuest } from './guest.ts';
import {
  isCalledObeying,
  isLate,
  isLeftBelow,
  isLeftSpinning,
  isLeftWaiting,
  isWilling,
  KINDS,
  leastMib,
  overheadMib,
  promisedMib,
  type Running,
  releaseMs,
  type Starting,
  seenSteps,
  unreached,
} from './running.ts';

const MIB = 1024;
const STEP_MS = 50;
/** How late a change that nobody asked for may be answered: a sample, a plan, a command. */
const REACTION_MS = 1_000;
const BELOW_MIB = 64;
/** A guest that was asked for nothing new for so long has told what it holds. */
const STEADY_MS = 3_000;
/** How long a running QEMU cannot be reached after it was found. */
const UNREACHED_MS = 5_000;
/** For so long the host is left what it once used. */
const HOST_CALM_MS = 120_000;
const ENDS = ['stopped', 'crashed', 'suspended'] as const;

export interface SafetyOptions {
  readonly seed: number;
  readonly mode: HostMemory['mode'];
  readonly seconds: number;
  readonly switchOff?: MemorySwitchOffs;
  /** The first controller dies at this step of its journal or of a command. */
  readonly deathAtStep?: number;
  /** Hears what happens, for whoever replays a seed. */
  readonly tell?: (line: string) => void;
}

export class SafetyWorld {
  readonly clock = new SimClock();
  readonly random: Seeded;
  readonly violations: string[] = [];
  readonly #options: SafetyOptions;
  readonly #journal = memoryJournalInMemory();
  readonly #running = new Map<string, Running>();
  readonly #starting = new Set<Starting>();
  readonly #saved: Running[] = [];
  readonly #unasked: { atMs: number; mib: number }[] = [];
  readonly #totalMib: number;
  /** A quiet world whose host grows steadily: margins are made for that. */
  readonly #isRamp: boolean;
  /** All VMs start at once, on a host that uses all that its margin leaves it; they fill what they have. */
  readonly #isRush: boolean;
  /** The VMs have no balloon, so none can be asked for the memory that QEMUs turn out to need. */
  readonly #isFixed: boolean;
  /** VMs come as others go, on a host that answers late: targets turn round while guests still grow. */
  readonly #isTide: boolean;
  /** One VM does not answer for a minute, while the ranges of others change. */
  readonly #isHush: boolean;
  #useMib = 1500;
  #useGoalMib = 1500;
  #useRate = 0;
  readonly #first: Controller;
  #controller: Controller;
  #restartAtMs: number | null = null;
  #disturbedMs = 0;
  #hostMovedMs = -HOST_CALM_MS;
  #lastHeard: Running | null = null;
  #names = 0;
  #deaths = 0;

  constructor(options: SafetyOptions) {
    this.#options = options;
    this.random = new Seeded(options.seed);
    this.#totalMib = 8192 * (1 + this.random.below(3));
    this.#isRamp = options.seed % 8 === 0;
    this.#isRush = options.seed % 8 === 6;
    this.#isFixed = options.seed % 16 === 14;
    this.#isTide = options.seed % 8 === 4;
    this.#isHush = options.seed % 8 === 2;
    if (this.#isRush) this.#useMib = this.#useGoalMib = this.#reserveMib - 256;
    this.#controller = this.#first = this.#control();
    this.#first.deathIn = options.deathAtStep ?? null;
    this.#first.manager.begin();
  }

  get #isPlain(): boolean {
    return this.#isRamp || this.#isRush || this.#isTide || this.#isHush;
  }
  get #all(): Running[] {
    return [...this.#running.values()];
  }
  get #reserveMib(): number {
    return defaultReserveKib(this.#totalMib * MIB) / MIB;
  }
  get hasDiedAtStep(): boolean {
    return (this.#first.deathIn ?? 0) < 0;
  }
  get deaths(): number {
    return this.#deaths;
  }

  async run(): Promise<void> {
    const { seed, seconds } = this.#options;
    // The controller dies while some VMs boot.
    if (this.#isRush && seed % 32 >= 16)
      this.clock.after(this.random.below(8000), () => this.#controller.die());
    for (let n = 0; n < (this.#isRush ? 6 : 2 + this.random.below(3)); n++) this.#start();
    while (this.clock.monotonicMs() < seconds * 1000) {
      await this.clock.advance(STEP_MS);
      this.#live();
      if (this.random.below(Math.round(4000 / STEP_MS)) === 0) this.#happen();
    }
    this.#controller.die();
  }

  #control(): Controller {
    return new Controller({
      clock: this.clock,
      random: this.random,
      journal: this.#journal,
      host: () => this.#figures(),
      policy: { mode: this.#options.mode },
      switchOff: this.#options.switchOff ?? {},
      sent: (guest, targetMib) => this.#sent(guest, targetMib),
      heard: (guest, targetMib) => this.#heard(guest, targetMib),
      died: () => {
        this.#deaths++;
        this.#tell('the controller dies');
        this.#restartAtMs = this.clock.monotonicMs() + 100 + this.random.below(3000);
        for (const running of this.#running.values()) {
          running.underWay = [];
          // The next controller has to find out for itself which guests do not move.
          running.spinS = 0;
        }
        this.#disturb();
        // Its last act may have been a person's pause: the guest stays as it is, with a target on its way.
        if (this.#lastHeard !== null && this.random.below(3) === 0) this.#lastHeard.guest.isPaused = true;
      },
      sampled: (guest, controller) => this.#sampled(guest, controller),
      log: line => {
        if (line.includes('a round failed') && !line.includes('the disk is full')) this.#blame('M5', line);
      },
    });
  }

  #figures() {
    return {
      totalKib: this.#totalMib * MIB,
      availableKib: Math.max(0, Math.round((this.#totalMib - this.#useMib - this.#guestsMib()) * MIB)),
      ownKib: 0,
      stalled: null,
    };
  }

  #guestsMib(): number {
    return this.#all.reduce((sum, { guest }) => sum + guest.residentMib, 0);
  }

  #disturb(): void {
    this.#disturbedMs = this.clock.monotonicMs();
  }

  #blame(rule: string, what: string): void {
    const { seed, mode } = this.#options;
    this.#tell(`${rule} BREACH ${what}`);
    this.violations.push(
      `${rule} seed ${seed} ${mode} ${(this.clock.monotonicMs() / 1000).toFixed(2)} s: ${what}`,
    );
  }

  #tell(what: string): void {
    this.#options.tell?.(`${(this.clock.monotonicMs() / 1000).toFixed(2)} ${what}`);
  }

  // ── the judge ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What everyone may come to hold, less what there is for them. */
  #overdrawMib(): number {
    let sum = this.#all.reduce((all, running) => all + promisedMib(running) + running.knownMib, 0);
    for (const { lease } of this.#starting)
      if (lease !== null) sum += lease.bootKib / MIB + overheadMib(lease.bootKib / MIB);
    return sum - (this.#totalMib - Math.max(this.#reserveMib, this.#useMib));
  }

  #unaskedMib(): number {
    const since = this.clock.monotonicMs() - REACTION_MS;
    return this.#unasked.reduce((sum, { atMs, mib }) => (atMs >= since ? sum + mib : sum), 0);
  }

  #judgeSum(what: string): void {
    const overdraw = this.#overdrawMib() - this.#unaskedMib() - this.#running.size;
    if (overdraw > 1) this.#blame('M2', `${what}: ${Math.round(overdraw)} MiB more than there is`);
  }

  #judge(running: Running, dt: number): void {
    const { guest, spec } = running;
    const now = this.clock.monotonicMs();
    const isAsked =
      guest.isDriverReady &&
      !guest.isPaused &&
      now >= Math.max(running.hungUntilMs, running.readyAtMs) &&
      this.#controller.isAlive &&
      !this.#controller.isFull;
    if (isLeftSpinning(running, isAsked, dt))
      this.#blame('M4', `${spec.name} was left spinning at ${Math.round(guest.actual)} for ${guest.target}`);
    const shown = this.#controller.manager.vmMemory(spec);
    if (isCalledObeying(running, shown, isAsked ? dt : 0))
      this.#blame(
        'M4',
        `${spec.name} is called obeying at ${guest.actual} for ${(shown.targetKib ?? 0) / MIB}`,
      );
    const isOwed =
      this.#controller.isAlive &&
      !this.#controller.isFull &&
      isWilling(running, this.clock.monotonicMs()) &&
      this.#isHostCalm(now) &&
      feasibleMib(this.#room) > BELOW_MIB;
    if (isLeftBelow(running, isOwed, dt))
      this.#blame('M3', `${spec.name} was left at ${Math.round(guest.actual)}, below its minimum`);
  }

  #heard(guest: SimGuest, targetMib: number): void {
    guest.ask(targetMib);
    const running = this.#running.get(guest.id);
    if (running === undefined) return;
    running.underWay.shift();
    this.#lastHeard = running;
  }

  #sent(guest: SimGuest, targetMib: number): void {
    const running = this.#running.get(guest.id);
    if (running === undefined) return;
    const before = promisedMib(running);
    const now = this.clock.monotonicMs();
    running.steadySinceMs = now;
    running.underWay.push(targetMib);
    this.#tell(
      `${guest.setup.spec.name} asked for ${targetMib}, at ${Math.round(guest.actual)}, promised ${Math.round(before)}`,
    );
    const { spec } = running;
    if ((this.#journal.target(guest.id) ?? 0) < targetMib * MIB)
      this.#blame('M9', `${spec.name} asked for ${targetMib}, which is written down nowhere`);
    if (now - running.specAtMs > REACTION_MS) {
      const ceiling = Math.min(spec.maxKib / MIB, guest.setup.bootMib);
      // A guest that does not move is asked for what it has, wherever that is: no change, so no command below its minimum.
      const wasThere = [guest.actual, ...running.hadMib].some(had => Math.abs(targetMib - had) <= 1);
      const isNeutral = wasThere || targetMib >= before;
      if (targetMib < Math.min(spec.minKib / MIB, ceiling) - 0.01 && !isNeutral)
        this.#blame('M3', `${spec.name} asked for ${targetMib}, below its minimum ${spec.minKib / MIB}`);
      if (targetMib > ceiling + 1 && targetMib > Math.max(before, ...running.hadMib) + 1)
        this.#blame('M3', `${spec.name} given ${targetMib}, above its maximum ${ceiling}`);
    }
    if (!guest.isDriverReady && targetMib < guest.actual - 1 && now - running.readyAtMs > REACTION_MS)
      this.#blame('M6', `${spec.name} squeezed while booting`);
    // The manager can know only what the guest had when it was last sampled.
    if (promisedMib(running) > Math.max(before, ...running.hadMib) + 1)
      this.#judgeSum(`${spec.name} given ${Math.round(targetMib - before)} MiB`);
  }

  /** M9: what a live controller was told of a guest it knows to be up, it must know from then on, after a time to note it. */
  #sampled(guest: SimGuest, controller: Controller): void {
    const running = this.#running.get(guest.id);
    if (running === undefined) return;
    running.seenBy = controller;
    if (guest.isMoving || controller.manager.vmMemory(running.spec).balloon === 'booting') return;
    const { steadySinceMs, latencyMs } = running;
    if (this.clock.monotonicMs() - Math.max(steadySinceMs, running.readyAtMs) < STEADY_MS) return;
    // M9: a target that may not have been heard counts as promised.
    const notedMib = (this.#journal.target(guest.id) ?? 0) / MIB;
    const seenMib = guest.residentMib - Math.max(promisedMib(running), notedMib);
    if (seenMib <= running.knownMib) return;
    this.clock.after(latencyMs + STEP_MS, () => {
      const isNoted = controller.isAlive && !controller.isFull && running.steadySinceMs === steadySinceMs;
      if (!isNoted || seenMib <= running.knownMib) return;
      this.#unasked.push({ atMs: this.clock.monotonicMs(), mib: seenMib - running.knownMib });
      running.knownMib = seenMib;
    });
  }

  get #room(): Room {
    const nowMs = this.clock.monotonicMs();
    return {
      totalMib: this.#totalMib,
      reserveMib: this.#reserveMib,
      useMib: this.#useMib,
      all: this.#all,
      starting: [...this.#starting],
      controller: this.#controller,
      nowMs,
    };
  }

  #isHostCalm(atMs: number): boolean {
    return atMs - this.#hostMovedMs >= HOST_CALM_MS && this.#useMib === this.#useGoalMib;
  }

  #isCalmSince(atMs: number): boolean {
    return this.#disturbedMs < atMs;
  }

  // ── what guests, host and people do ───────────────────────────────────────────────────────────────────────────────

  #live(): void {
    const dt = STEP_MS / 1000;
    const now = this.clock.monotonicMs();
    for (const running of this.#running.values()) {
      const { guest } = running;
      const before = guest.promisedMib;
      const wasReady = guest.isDriverReady;
      running.hadMib.push(guest.actual);
      while (running.hadMib.length > seenSteps(running, now)) running.hadMib.shift();
      guest.isHung = now < running.hungUntilMs;
      guest.step(dt, now / 1000);
      this.#judge(running, dt);
      if (!wasReady && guest.isDriverReady) {
        running.readyAtMs = now;
        this.#controller.tell(manager => manager.event(guest.id, 'guest-up'));
      }
      if (guest.promisedMib > before) this.#unasked.push({ atMs: now, mib: guest.promisedMib - before });
    }
    const delta = Math.max(
      -this.#useRate * dt,
      Math.min(this.#useRate * dt, this.#useGoalMib - this.#useMib),
    );
    this.#useMib += delta;
    if (delta > 0) this.#unasked.push({ atMs: now, mib: delta });
    while ((this.#unasked[0]?.atMs ?? now) < now - 2 * REACTION_MS) this.#unasked.shift();
    if ((this.#isRamp || this.#isRush) && this.#useMib + this.#guestsMib() > this.#totalMib + 1) {
      this.#blame('M2', `the host was overrun by ${this.#isRush ? 'starts' : 'growth'} a margin is for`);
      this.#useMib = this.#useGoalMib = 1500;
    }
    for (const starting of this.#starting) {
      if (isLeftWaiting(starting, now) || (isLate(starting, now) && this.#isOwed(starting))) {
        this.#blame('M6', `${starting.spec.name} was left waiting for its lease`);
        starting.atMs = Number.POSITIVE_INFINITY;
      }
    }
    if (this.#restartAtMs !== null && now >= this.#restartAtMs) this.#restart();
  }

  #restart(): void {
    this.#restartAtMs = null;
    this.#tell('a new controller');
    // A start whose QEMU was not spawned yet died with its controller.
    this.#starting.clear();
    this.#controller = this.#control();
    for (const running of this.#running.values()) this.#adopt(running, this.#controller);
    this.#controller.manager.begin();
  }

  /** Some guests cannot be reached at once; they count all the same (M9). */
  #adopt(running: Running, controller: Controller): void {
    const { spec, guest } = running;
    const isReached = this.random.below(4) > 0;
    const port = isReached ? controller.port(running) : unreached(running);
    controller.manager.adopt(spec, guest.setup.bootMib * MIB, port);
    if (isReached) return;
    running.readyAtMs = this.clock.monotonicMs() + UNREACHED_MS;
    this.clock.after(UNREACHED_MS, () =>
      controller.tell(manager => manager.reached(guest.id, controller.port(running))),
    );
  }

  #happen(): void {
    const { random } = this;
    const all = this.#all;
    if (this.#isRamp) {
      if (all.length < 4) return this.#start();
      this.#useGoalMib =
        this.#useGoalMib > 1500 ? 1500 : Math.min(this.#totalMib * 0.55, leastLeftMib(this.#room));
      this.#useRate = 100;
      return;
    }
    if (all.length < (this.#isTide || this.#isHush ? 4 : 1)) return this.#start();
    const running = random.pick(all);
    if (this.#isHush) return this.#hush(all);
    if (this.#isRush) return random.below(2) === 0 ? this.#start() : this.#end(running);
    if (this.#isTide) return this.#replace(running, 100 + random.below(600));
    const deeds: readonly (() => void)[] = [
      () => this.#start(),
      () => this.#start(),
      () => this.#end(running),
      () => this.#reset(running),
      () => this.#pause(running),
      () => this.#range(running),
      () => this.#hostMoves(),
      () => this.#replace(running, random.below(1000)),
      () => this.#suspend(running),
      () => this.#goOn(),
      () => this.#hang(running, random.pick([random.below(10_000), 60_000])),
      () => {
        this.#controller.fullUntilMs = this.clock.monotonicMs() + random.below(20_000);
        this.#disturb();
      },
      () => this.#dies(12),
      () => this.#dies(60),
      // As after a sleep of the host.
      () => {
        this.clock.wallOffsetMs += (random.below(3) - 1) * 8 * 3_600_000;
        for (const one of all) one.spinS = 0;
      },
    ];
    const deed = random.pick(deeds);
    this.#tell(`${deed.toString().slice(6, 60)} ${running.spec.name} ${running.guest.setup.kind}`);
    deed();
  }

  #dies(within: number): void {
    this.#controller.deathIn = this.random.below(within);
  }

  #replace(running: Running, afterMs: number): void {
    this.#end(running);
    this.clock.after(afterMs, () => this.#start());
  }

  #hostMoves(): void {
    const { random } = this;
    this.#disturb();
    this.#hostMovedMs = this.clock.monotonicMs();
    this.#useGoalMib = 800 + random.below(Math.round(this.#totalMib * 0.35));
    this.#useRate = random.pick([50, 150, 40_000]);
  }

  /** A VM without a driver may have no balloon either. */
  #hasBalloon(kind: DriverKind): boolean {
    return kind !== 'none' || (!this.#isFixed && this.random.below(2) === 0);
  }

  #start(saved: Running | null = null): void {
    if (!this.#controller.isAlive || this.#running.size + this.#starting.size >= 7) return;
    const plain = this.#isFixed ? 'none' : 'normal';
    const kind = saved?.guest.setup.kind ?? (this.#isPlain ? plain : this.random.pick(KINDS));
    const spec = saved?.spec ?? newSpec(this.random, ++this.#names, this.#hasBalloon(kind));
    const controller = this.#controller;
    const atMs = this.clock.monotonicMs();
    const starting: Starting = {
      spec,
      kind,
      saved,
      atMs,
      feasibleMib: feasibleMib(this.#room),
      releaseMs: Math.max(0, ...this.#all.filter(one => isWilling(one, atMs)).map(releaseMs)),
      controller,
      lease: null,
    };
    this.#starting.add(starting);
    const exact = saved === null ? {} : { exactKib: saved.guest.setup.bootMib * MIB };
    controller.manager.lease({ spec, ...exact, signal: new AbortController().signal }).then(
      lease => void this.#leased(starting, lease),
      (error: unknown) => this.#refused(starting, error),
    );
  }

  #suspend(running: Running): void {
    this.#end(running, 'suspended');
    if (running.guest.isDriverReady) this.#saved.push(running);
  }

  /** Its range may have changed meanwhile. */
  #goOn(): void {
    const saved = this.#saved.shift();
    if (saved === undefined) return this.#start();
    if (this.random.below(2) === 0) this.#range(saved);
    this.#start(saved);
  }

  /** M4, M6: a lease that the willing guests could serve is neither refused nor late, whatever the others do. */
  #refused(starting: Starting, error: unknown): void {
    this.#starting.delete(starting);
    if (!this.#isOwed(starting)) return;
    this.#blame(
      'M4',
      `${starting.spec.name} refused ${leastMib(starting)} of ${Math.round(starting.feasibleMib)} MiB: ${String(error)}`,
    );
  }

  /** Nothing excuses that it has no lease. */
  #isOwed(starting: Starting): boolean {
    const { controller, atMs } = starting;
    if (!controller.isAlive || controller.isFull || !this.#isCalmSince(atMs)) return false;
    return this.#isHostCalm(atMs) && starting.feasibleMib > leastMib(starting) + 64;
  }

  async #leased(starting: Starting, lease: Lease): Promise<void> {
    if (!starting.controller.isAlive || !this.#starting.has(starting)) return;
    starting.lease = lease;
    this.#tell(`${starting.spec.name} leased ${lease.bootKib / MIB}`);
    this.#judgeSum(`${starting.spec.name} leased ${lease.bootKib / MIB} MiB`);
    const { controller } = starting;
    await this.clock.sleep(25 + this.random.below(250));
    if (!controller.isAlive || !this.#starting.delete(starting)) return;
    if (!this.#journal.leases().some(({ id }) => id === lease.id))
      this.#blame('M6', `${starting.spec.name} is spawned on a lease that is written down nowhere`);
    const running = this.#spawn(starting, lease.bootKib / MIB);
    // M9: some QEMUs lose their controller before it is told of them.
    if (!this.#isPlain && this.random.below(10) === 0) controller.die();
    controller.tell(manager => manager.transfer(lease, unreached(running)));
    await this.clock.sleep(25 + this.random.below(250));
    // If the controller died meanwhile the next one finds the QEMU (M9).
    controller.tell(manager => manager.reached(running.guest.id, controller.port(running)));
  }

  #spawn(starting: Starting, bootMib: number): Running {
    const { spec, saved } = starting;
    const nowS = this.clock.monotonicMs() / 1000;
    const born =
      saved === null
        ? newGuest(this.random, starting, { bootMib, nowS, isRamp: this.#isRamp || this.#isRush })
        : savedGuest(this.random, saved, nowS);
    const { guest } = born;
    const now = this.clock.monotonicMs();
    const running = {
      ...born,
      spec,
      hungUntilMs: 0,
      latencyMs: 2 + this.random.below(this.#isTide ? 400 : 40),
      readyAtMs: now,
      specAtMs: now,
      underWay: [],
      hadMib: [],
      spinS: 0,
      calledS: 0,
      belowS: 0,
      knownMib: Math.min(guest.setup.overheadMib, overheadMib(bootMib)),
      steadySinceMs: now,
      way: 0,
      seenBy: null,
    };
    this.#running.set(spec.id, running);
    this.#disturb();
    return running;
  }

  #end(running: Running, why = this.random.pick(ENDS)): void {
    this.#running.delete(running.guest.id);
    running.guest.isGone = true;
    this.#controller.tell(manager => manager.detach(running.guest.id, why));
    if (!this.#controller.isAlive) this.#journal.dropTarget(running.guest.id);
  }

  #hush(all: readonly Running[]): void {
    const now = this.clock.monotonicMs();
    const answering = all.filter(({ hungUntilMs }) => hungUntilMs < now);
    if (answering.length === all.length) this.#hang(this.random.pick(all), 60_000);
    else if (this.random.below(3) === 0) this.#range(this.random.pick(answering));
  }

  #hang(running: Running, forMs: number): void {
    running.hungUntilMs = this.clock.monotonicMs() + forMs;
    this.#disturb();
  }

  #reset(running: Running): void {
    const before = running.guest.promisedMib;
    running.guest.reset();
    running.spinS = 0;
    const now = this.clock.monotonicMs();
    running.readyAtMs = now;
    this.#unasked.push({ atMs: now, mib: Math.max(0, running.guest.promisedMib - before) });
    this.#controller.tell(manager => manager.event(running.guest.id, 'reset'));
    this.#disturb();
  }

  #pause(running: Running): void {
    running.guest.isPaused = !running.guest.isPaused;
    running.readyAtMs = this.clock.monotonicMs();
    const event = running.guest.isPaused ? 'paused' : 'resumed';
    this.#controller.tell(manager => manager.event(running.guest.id, event));
    this.#disturb();
  }

  #range(running: Running): void {
    const minMib = 256 + 64 * this.random.below(12);
    const maxMib = minMib + 64 * this.random.below(40);
    running.spec = { ...running.spec, minKib: minMib * MIB, maxKib: maxMib * MIB };
    running.specAtMs = this.clock.monotonicMs();
    this.#controller.tell(manager => manager.specChanged(running.spec));
    this.#disturb();
  }
}
