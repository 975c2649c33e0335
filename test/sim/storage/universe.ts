// One history of one VM: a guest that writes and flushes, a person who takes, goes back and deletes, settling in the
// background, and a host that dies between any two calls, also in recovery. The seed chooses everything.
import { exactSize } from '../../../electron/storage/vhd/geometry.ts';
import type { Volume } from '../../../electron/storage/volume.ts';
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Seeded } from '../../support/seeded.ts';
import {
  aFuse,
  aRange,
  DISKS,
  equip,
  GROWN_MAX,
  isRefusal,
  ROUNDS_MAX,
  SHAPES,
  strike,
  tally,
  type UniverseOptions,
  VM,
} from './chances.ts';
import { SimWorld } from './device.ts';
import { endDoubts } from './doubts.ts';
import { engineOn } from './engine-on.ts';
import { graft } from './grafting.ts';
import { HeldReads } from './held.ts';
import { SECTOR } from './inode.ts';
import { type Control, Judge, Violation } from './judge.ts';
import { DiskModel, fill } from './model.ts';
import { microtasks, pump } from './pump.ts';

export class Universe {
  readonly #options: UniverseOptions;
  readonly #random: Seeded;
  readonly #shape: (typeof SHAPES)[number];
  readonly #judge: Judge;
  readonly violations: string[] = [];
  /** Crashes recovered from and checked; one death may count several (SimWorld.alternatives). */
  crashes = 0;
  #deaths = 0;
  /** Crashes by what was under way, and what was refused for want of room. */
  readonly during = new Map<string, number>();
  #isRecovering = false;
  #flushes = 0;
  readonly #held: HeldReads;
  #order = 0;
  #tag = 0;
  #step = 0;
  /** On some hosts space runs out and syncs fail (T14). */
  readonly #hasFaults: boolean;
  readonly #isGrowing: boolean;
  /** A sync failed: this engine must not be trusted any more, until the host dies or the person ends it. */
  #isPoisoned = false;
  /** A violation that was found in a promise nobody awaits. */
  #late: string | null = null;

  constructor(options: UniverseOptions) {
    this.#options = options;
    this.#random = new Seeded(options.seed);
    this.#shape = this.#random.pick(SHAPES);
    this.#hasFaults = this.#random.below(3) === 0;
    this.#isGrowing = this.#random.below(3) === 0;
    const disks = DISKS.slice(0, 1 + this.#random.below(2));
    const world = equip(new SimWorld(this.#random, 'boot-0', options.alternatives), options.seed);
    this.#judge = new Judge(disks, world);
    this.#held = new HeldReads(this.#judge);
  }

  /** Ends at the first violation: later ones would be its echo. */
  async run(): Promise<void> {
    try {
      await this.#live();
    } catch (cause) {
      const what =
        cause instanceof Violation || cause instanceof Fault
          ? cause.message
          : cause instanceof Error
            ? (cause.stack ?? cause.message)
            : String(cause);
      const { seed } = this.#options;
      this.violations.push(
        `seed ${seed}, step ${this.#step}, after ${this.crashes} crashes (last call: ${this.#judge.world.lastCall}): ${what}`,
      );
    }
  }

  async #live(): Promise<void> {
    await this.#pump(this.#open());
    for (const diskId of this.#judge.disks) {
      await this.#pump(this.#judge.live.createDisk(diskId, this.#shape.virtualBytes));
      this.#judge.models.set(diskId, new DiskModel(this.#judge.read(this.#volume(diskId))));
    }
    // A root rarely shrinks, so half of these universes die there first.
    const isShrinking = this.#isGrowing && (await this.#growUp()) && this.#random.below(2) === 0;
    this.#arm(isShrinking);
    for (; this.#step < this.#options.steps; this.#step++) {
      await microtasks();
      if (this.#judge.world.isDead) await this.#recover();
      else this.#act();
      if (this.#late !== null) throw new Violation(this.#late);
    }
    this.#judge.world.fuse = null;
    await this.#rest();
  }

  /** Makes a small point and a large one. True: the large one is the root, and Now grows from the small one. */
  async #growUp(): Promise<boolean> {
    const idle = async (): Promise<void> => {
      for (; this.#judge.control !== null; this.#adoptLate()) {
        await microtasks();
        if (this.#judge.world.waiting > 0) this.#judge.world.advance();
      }
    };
    const take = async (): Promise<void> => {
      for (let count = 0; count < 8; count++) this.#write();
      this.#take();
      await idle();
    };
    await take();
    this.#grow(this.#random.pick(this.#judge.disks));
    await idle();
    await take();
    if (this.#random.below(2) === 0) return false;
    await this.#pump(this.#judge.live.settle());
    this.#goBack([...this.#judge.moments.keys()][0] as MomentId);
    return true;
  }

  #volume(diskId: DiskId): Volume {
    return this.#judge.live.volume(diskId);
  }

  #arm(isShrinking = false): void {
    if (this.#deaths >= this.#options.deaths) return;
    this.#judge.world.fuse = aFuse(this.#random, this.#isGrowing, isShrinking);
  }

  async #open(): Promise<void> {
    const world = this.#judge.world;
    const { switchOff } = this.#options;
    const { blockBytes, batchBytes } = this.#shape;
    this.#judge.engine = await engineOn(world, VM, {
      blockBytes,
      batchBytes,
      cloneMinBytes: 4096,
      ...(switchOff === undefined ? {} : { switchOff }),
    });
  }

  #pump(work: Promise<unknown>): Promise<boolean> {
    return pump(this.#judge.world, work);
  }

  #act(): void {
    const [{ world }, { waiting }] = [this.#judge, this.#judge.world];
    if (this.#hasFaults && strike(this.#random, world, this.#judge.live)) tally(this.during, 'refusal');
    this.#noticePoison();
    if (this.#isPoisoned && this.#random.below(10) === 0) {
      this.#judge.world.crash(this.#random.pick(['power', 'process'] as const));
      return;
    }
    // A poisoned disk cannot be read: the take is checked when the disk is opened again.
    if (!this.#isPoisoned) this.#adoptLate();
    if (waiting > 0 && this.#random.below(100) < 55) return this.#judge.world.advance();
    if (this.#isGrowing && this.#random.below(5) === 0) return this.#startControl();
    const kind = this.#judge.control?.kind;
    const isQuiet = kind === 'goBack' || kind === 'rest';
    const choice = this.#random.below(100);
    if (!this.#isPoisoned && this.#random.below(25) === 0) this.#held.some(this.#random);
    if (choice < 12) this.#startControl();
    else if (choice < 15) this.#look('while running');
    else if (choice < 19) this.#settle();
    else if (isQuiet) this.#judge.world.waiting > 0 && this.#judge.world.advance();
    else if (choice < 30) this.#flush();
    else if (choice < 38) this.#zero(choice < 34);
    else this.#write();
  }

  /** Settling fails without a caller; the timeline tells. */
  #noticePoison(): void {
    if (!this.#judge.world.hasFailed) return;
    if (this.#judge.live.timeline().disks.some(disk => disk.poisoned !== null)) this.#isPoisoned = true;
  }

  #adoptLate(): void {
    this.#judge.adoptLateTake();
    this.#lately(() => this.#judge.adoptGrowth());
  }

  #look(when: string): void {
    try {
      this.#judge.check(when);
    } catch (cause) {
      // After a failed sync the disk may refuse to read; it may not read wrong.
      if (!this.#isExcused(this.#judge.world, cause)) throw cause;
    }
  }

  /** Whether a full or failing host may answer so; any other answer is a violation. */
  #isExcused(world: SimWorld, cause: unknown): boolean {
    if (!(cause instanceof Fault)) return false;
    const { code } = cause.body;
    if (isRefusal(cause)) tally(this.during, 'refusal');
    if (code === 'disk.full') return world.wasFull;
    if (code !== 'disk.io' && code !== 'disk.poisoned') return false;
    this.#isPoisoned = world.hasFailed;
    return world.hasFailed;
  }

  /** T7: a reversal that has moved something may be taken back. */
  #settle(): void {
    const world = this.#judge.world;
    const done = this.#judge.live.timeline().settle.reversal?.blocksDone ?? 0;
    if (done === 0 || this.#random.below(4) === 0)
      this.#lately(() => this.#judge.live.setSettling(this.#random.below(4) > 0));
    else this.#judge.live.undoSettling().catch((cause: unknown) => this.#fail(world, 'undo', cause));
  }

  // The guest

  #range(diskId: DiskId): { readonly first: number; readonly count: number } {
    return aRange(this.#random, this.#judge.model(diskId).now.length);
  }

  #note(diskId: DiskId, sector: number, tag: number, isUnknown = this.#judge.world.isDead): void {
    const model = this.#judge.model(diskId);
    if (isUnknown) model.mayWrite(sector, tag, ++this.#order);
    else model.write(sector, tag, ++this.#order);
    if (this.#judge.control?.kind === 'take')
      this.#judge.control.writes.push({ diskId, sector, tag, isUnknown });
  }

  #write(): void {
    const diskId = this.#random.pick(this.#judge.disks);
    const { first, count } = this.#range(diskId);
    const tags = Array.from({ length: count }, () => ++this.#tag);
    const bytes = new Uint8Array(count * SECTOR);
    fill(bytes, tags);
    this.#submit(diskId, first, tags, volume => volume.write(bytes, first * SECTOR));
  }

  #zero(isTrim: boolean): void {
    const diskId = this.#random.pick(this.#judge.disks);
    const { first, count } = this.#range(diskId);
    const volume = this.#volume(diskId);
    const zeros = new Array<number>(count).fill(0);
    if (!isTrim) {
      const mayPunch = this.#random.below(2) === 0;
      this.#submit(diskId, first, zeros, () => volume.zero(first * SECTOR, count * SECTOR, mayPunch));
      return;
    }
    let found: number[];
    try {
      volume.trim(first * SECTOR, count * SECTOR);
      found = this.#judge.read(volume);
    } catch (cause) {
      this.#failedWrite(diskId, first, zeros, cause);
      return;
    }
    const { now } = this.#judge.model(diskId);
    for (let sector = first; sector < first + count; sector++) {
      if (found[sector] !== 0 && found[sector] !== now[sector])
        throw new Violation(`after a trim sector ${sector} of ${diskId} is ${found[sector]}`);
      if (found[sector] !== now[sector]) this.#note(diskId, sector, 0);
    }
  }

  #submit(diskId: DiskId, first: number, tags: readonly number[], work: (volume: Volume) => void): void {
    try {
      work(this.#volume(diskId));
    } catch (cause) {
      this.#failedWrite(diskId, first, tags, cause);
      return;
    }
    for (const [index, tag] of tags.entries()) this.#note(diskId, first + index, tag);
  }

  /** A write that failed may have happened in part, but every sector is old or new. */
  #failedWrite(diskId: DiskId, first: number, tags: readonly number[], cause: unknown): void {
    if (this.#judge.world.isDead) {
      for (const [index, tag] of tags.entries()) this.#note(diskId, first + index, tag);
      return;
    }
    if (!this.#isExcused(this.#judge.world, cause)) throw cause;
    const model = this.#judge.model(diskId);
    let found: number[] | null = null;
    try {
      found = this.#judge.read(this.#volume(diskId));
    } catch (unreadable) {
      if (!this.#isExcused(this.#judge.world, unreadable)) throw unreadable;
    }
    for (const [index, tag] of tags.entries()) {
      const sector = first + index;
      const before = model.now[sector] ?? 0;
      if (found !== null && found[sector] !== tag && !model.mayBe(sector, found[sector]))
        throw new Violation(`a failed write made sector ${sector} of ${diskId} ${found[sector]}`);
      this.#note(diskId, sector, tag, found === null);
      if (found !== null && found[sector] !== tag) this.#note(diskId, sector, found[sector] ?? before);
    }
  }

  #flush(): void {
    if (this.#flushes >= 3) return;
    const world = this.#judge.world;
    const diskId = this.#random.pick(this.#judge.disks);
    const order = this.#order;
    this.#flushes++;
    this.#volume(diskId)
      .flush()
      .then(
        () => {
          if (world.isDead) return;
          this.#flushes--;
          this.#judge.model(diskId).flushed(order);
        },
        (cause: unknown) => {
          if (world.isDead) return;
          this.#flushes--;
          this.#fail(world, 'flush', cause);
        },
      );
  }

  #fail(world: SimWorld, doing: string, cause: unknown): void {
    if (world.isDead || this.#isExcused(world, cause)) return;
    this.#late ??= `${doing} failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`;
  }

  // The person

  #startControl(): void {
    if (this.#judge.control !== null) return;
    // A crash may have left a moment in the trash, where it must be as it was.
    const live = new Set(this.#judge.live.timeline().moments.map(({ id }) => id));
    const moments = [...this.#judge.moments.keys()].filter(id => live.has(id));
    const choice = this.#random.below(100);
    if (choice < 4) this.#flushes === 0 && this.#restNow();
    else if (moments.length === 0 || (choice < (this.#isGrowing ? 44 : 52) && moments.length < 7))
      this.#take();
    else if (this.#isGrowing && choice < 64) this.#grow(this.#random.pick(this.#judge.disks));
    else if (choice < (this.#isGrowing ? 80 : 62))
      this.#flushes === 0 && this.#goBack(this.#random.pick(moments));
    else if ((choice < 86 && choice >= 78 && !this.#isGrowing) || choice >= 92)
      this.#graft(this.#random.pick(moments));
    else this.#delete(this.#random.pick(moments));
  }

  #take(): void {
    const world = this.#judge.world;
    const open = new Map(this.#judge.disks.map(diskId => [diskId, this.#judge.model(diskId).allAllowed()]));
    const [base, uncertain] = [this.#judge.content(), this.#judge.uncertain()];
    const control = { kind: 'take' as const, base, uncertain, open, writes: [] } satisfies Control;
    this.#judge.control = control;
    this.#judge.live.takeMoment({ name: 'taken', note: '', kind: 'manual' }).then(
      moment => {
        if (world.isDead) return;
        this.#lately(() => {
          this.#judge.adoptTake(moment.id, control);
          this.#judge.control = null;
        });
      },
      (cause: unknown) => {
        if (world.isDead) return;
        this.#fail(world, 'take', cause);
        // A recorded take will be completed; an unrecorded one has changed nothing.
        this.#judge.isTakeLate = world.store.rows('op').some(op => op.kind === 'take' && op.moment !== null);
        if (!this.#judge.isTakeLate) this.#judge.control = null;
      },
    );
  }

  #lately(work: () => void): void {
    try {
      work();
    } catch (cause) {
      // What a poisoned disk refuses to show is checked when it is opened again.
      if (this.#isExcused(this.#judge.world, cause)) return;
      this.#late ??= cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    }
  }

  #goBack(momentId: MomentId): void {
    const world = this.#judge.world;
    const target = this.#judge.moments.get(momentId) ?? new Map();
    const [left, uncertain] = [this.#judge.content(), this.#judge.uncertain()];
    const control = { kind: 'goBack' as const, target, left, uncertain };
    this.#judge.control = control;
    const before = new Set(this.#judge.live.timeline().moments.map(moment => moment.id));
    this.#judge.live.goBack({ momentId, keepName: 'kept' }).then(
      () => {
        if (world.isDead) return;
        this.#lately(() => {
          for (const diskId of this.#judge.disks)
            this.#judge.model(diskId).settleOn(target.get(diskId) ?? [], true);
          for (const { id } of this.#judge.live.timeline().moments)
            if (!before.has(id)) this.#judge.adoptKept(id, control);
          this.#judge.control = null;
          this.#look('after going back');
        });
      },
      (cause: unknown) => {
        if (world.isDead) return;
        this.#fail(world, 'going back', cause);
        this.#judge.control = null;
      },
    );
  }

  #graft(momentId: MomentId): void {
    const { world, live } = this.#judge;
    const row = live.timeline().moments.find(({ id }) => id === momentId);
    const point = row === undefined ? undefined : this.#random.pick(row.points);
    if (point === undefined) return;
    const base = this.#judge.moments.get(momentId) ?? new Map();
    const content = new Map([...base].map(([diskId, tags]) => [diskId, [...tags]]));
    this.#judge.control = { kind: 'graft', content };
    graft({ world, live, random: this.#random, newTag: () => ++this.#tag, content }, point).then(
      made => {
        if (world.isDead) return;
        this.#lately(() => {
          if (made !== null) this.#judge.adoptGraft(made, content);
          this.#judge.control = null;
        });
      },
      (cause: unknown) => {
        if (world.isDead) return;
        this.#fail(world, 'grafting', cause);
        this.#judge.control = null;
      },
    );
  }

  #grow(diskId: DiskId): void {
    const world = this.#judge.world;
    const bytes = exactSize(
      this.#volume(diskId).sizeBytes + 1 + this.#random.below(this.#shape.virtualBytes * 2),
    );
    if (bytes > GROWN_MAX) return;
    this.#judge.control = { kind: 'grow', diskId, sectors: bytes / SECTOR };
    this.#judge.live.growDisk(diskId, bytes).catch((cause: unknown) => {
      if (world.isDead) return;
      this.#fail(world, 'growing', cause);
      if (!this.#judge.isGrowing()) this.#judge.control = null;
    });
  }

  #restNow(): void {
    const world = this.#judge.world;
    const done = (): void => {
      this.#judge.control = null;
    };
    this.#judge.control = { kind: 'rest' };
    this.#judge.live.rest().then(
      () => void (!world.isDead && done()),
      (cause: unknown) => {
        if (world.isDead) return;
        this.#fail(world, 'resting', cause);
        done();
      },
    );
  }

  #delete(momentId: MomentId): void {
    const world = this.#judge.world;
    this.#judge.control = { kind: 'delete', momentId };
    const done = (): void => {
      this.#judge.control = null;
    };
    const isRestored = this.#random.below(4) === 0;
    const { live } = this.#judge;
    live
      .deleteMoment(momentId)
      .then(() =>
        isRestored
          ? live.restoreMoment(momentId).then(() => undefined)
          : live.purge(({ id }) => id === momentId),
      )
      .then(
        () => {
          if (world.isDead) return;
          if (!isRestored) this.#judge.moments.delete(momentId);
          done();
        },
        (cause: unknown) => {
          if (world.isDead) return;
          this.#fail(world, 'delete', cause);
          if (!this.#judge.has(momentId)) this.#judge.moments.delete(momentId);
          done();
        },
      );
  }

  async #recover(): Promise<void> {
    let hadPowerCut = false;
    // Writes that failed on a poisoned file are there or not; the point of a take in between may be any mixture.
    const wasPoisoned = this.#isPoisoned;
    this.#judge.doubted.clear();
    for (;;) {
      const { after, diedBy } = this.#judge.world;
      if (after === null) break;
      hadPowerCut ||= diedBy === 'power';
      this.crashes++;
      this.#deaths++;
      this.#noteCrash();
      await this.#lookAtAlternatives();
      this.#judge.engine = null;
      this.#isPoisoned = false;
      this.#judge.world = after;
      this.#judge.checkFiles(hadPowerCut);
      if (this.#random.below(3) === 0) this.#arm();
      this.#isRecovering = true;
      if (await this.#reopen()) break;
    }
    this.#isRecovering = false;
    this.#flushes = 0;
    this.#held.drop();
    this.#judge.checkNow(hadPowerCut);
    this.#judge.adoptNew(hadPowerCut, hadPowerCut || wasPoisoned || this.#judge.doubted.size > 0);
    this.#judge.control = null;
    this.#judge.isTakeLate = false;
    this.#judge.check('after recovery');
    if (this.#judge.world.fuse === null) this.#arm();
  }

  /** Checks what the power cut might have left instead: read as it is, recovered, read again, and thrown away. */
  async #lookAtAlternatives(): Promise<void> {
    for (const world of this.#judge.world.alternatives.splice(0)) {
      this.crashes++;
      this.#noteCrash();
      this.#judge.engine = null;
      this.#judge.world = world;
      world.relieve();
      this.#judge.checkFiles(true);
      await this.#pump(this.#open());
      this.#judge.checkNow(true);
      this.#judge.checkPoints('after recovery from another cut');
    }
  }

  /** Counts the operations that the crash fell in, for the report. */
  #noteCrash(): void {
    const kinds = this.#judge.underWay();
    if (this.#isRecovering) kinds.push('recovery');
    for (const kind of kinds) tally(this.during, kind);
  }

  /** Answers whether it opened. On a full or failing host it tries again, as people do. */
  async #reopen(): Promise<boolean> {
    for (;;) {
      try {
        const isOpen = await this.#pump(this.#open());
        return isOpen && (await this.#pump(endDoubts(this.#judge.live, id => this.#judge.doubted.add(id))));
      } catch (cause) {
        if (!this.#isExcused(this.#judge.world, cause)) throw cause;
        this.#judge.world.relieve();
        if (this.#isPoisoned) this.#judge.world.crash('process');
        if (this.#isPoisoned) return false;
      }
    }
  }

  /** The end: settled, closed, nothing left over; the headers tell the same tree as the database (T5, T12, T17). */
  async #rest(): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      if (rounds > ROUNDS_MAX) throw new Violation(`${this.#judge.control?.kind ?? 'a flush'} does not end`);
      this.#judge.world.relieve();
      this.#judge.world.failSyncs = 0;
      this.#judge.world.ring();
      await microtasks();
      this.#noticePoison();
      if (this.#isPoisoned) this.#judge.world.crash('process');
      if (this.#judge.world.isDead) await this.#recover();
      this.#judge.world.fuse = null;
      this.#held.endAll();
      this.#adoptLate();
      if (this.#judge.control === null && this.#flushes === 0) break;
      if (this.#judge.world.waiting === 0) await microtasks();
      if (this.#judge.world.waiting > 0) this.#judge.world.advance();
      if (this.#late !== null) throw new Violation(this.#late);
    }
    this.#judge.world.relieve();
    this.#judge.world.ring();
    this.#judge.live.setSettling(true);
    await this.#pump(this.#judge.live.rest());
    await this.#pump(this.#judge.live.settle());
    const { settle } = this.#judge.live.timeline();
    if (settle.state !== 'rest')
      throw new Violation(`does not come to rest: ${settle.state} ${settle.reason}`);
    this.#judge.check('at rest');
    this.#judge.checkRest();
    await this.#pump(this.#judge.checkSums());
    await this.#pump(this.#judge.live.close());
    this.#judge.checkHeaders();
    await this.#pump(this.#open());
    this.#judge.check('opened again');
  }
}
