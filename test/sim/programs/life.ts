// Runs a program: each operation on the engine and on the oracle, then everything is checked. An operation
// that the machine died in, or that a full or failing disk refused, has happened or has not: what is found
// decides, and must be one of both.

import { fileName } from '../../../electron/storage/disk/disk-files.ts';
import { isRunFileName } from '../../../electron/storage/disk/run-file.ts';
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { exactSize } from '../../../electron/storage/vhd/geometry.ts';
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { isSettlingRefused } from '../storage/chances.ts';
import { endDoubts } from '../storage/doubts.ts';
import { Violation } from '../storage/judge.ts';
import { Calls } from './calls.ts';
import { Checks } from './checks.ts';
import { Clones } from './clones.ts';
import { graftOnto } from './graft.ts';
import { Guest } from './guest.ts';
import { type Host, Machine, microtasks } from './machine.ts';
import type { Meanwhile, Operation, Program } from './operations.ts';
import { type Content, certain, NowOracle, Oracle, type Snapshot } from './oracle.ts';

/** The largest size disks grow to, in bytes: they are judged sector by sector, which must stay cheap. */
const GROWN_MAX = 500_000;
const CLONES_MAX = 2;

/** Operations that may have happened: nobody was told. */
export interface Pending {
  take: Snapshot | null;
  goBack: { readonly target: Content; readonly left: Snapshot } | null;
  /** Moments that may have been trashed, restored, updated or purged. */
  readonly changing: Set<MomentId>;
  grow: { readonly diskId: DiskId; readonly bytes: number } | null;
  graft: Snapshot | null;
}

const nothing = (): Pending => ({ take: null, goBack: null, changing: new Set(), grow: null, graft: null });

export class Life {
  readonly machine: Machine;
  readonly oracle = new Oracle();
  readonly #checks: Checks;
  readonly #guest: Guest;
  readonly #clones: Clones;
  #pending: Pending = nothing();
  /** What was there before a going back that failed. */
  #staying: Snapshot | null = null;
  /** The operations so far, for the trace of a violation. */
  readonly done: string[] = [];

  constructor(schedule: number, switchOff: SwitchOffs = {}, calls = new Calls(), host?: Host) {
    this.machine = new Machine(schedule, switchOff, calls, host);
    this.#checks = new Checks(this.machine, this.oracle);
    this.#guest = new Guest(this.machine, this.oracle);
    this.#clones = new Clones(this.machine);
  }

  /** `countFrom`: calls are counted from this operation on; from -1 on the making of the disks, too. */
  async run(
    { operations }: Pick<Program, 'operations'>,
    countFrom = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { machine } = this;
    await machine.open();
    machine.calls.isArmed = countFrom < 0;
    for (const diskId of machine.disks) await this.#create(diskId);
    machine.calls.isArmed = false;
    for (const [index, operation] of operations.entries()) {
      this.done.push(JSON.stringify(operation));
      machine.calls.isArmed = index >= countFrom;
      await this.#do(operation);
      await microtasks();
      if (machine.world.isDead) await this.#recover();
      machine.calls.isArmed = false;
      machine.noticePoison();
      if (machine.isPoisoned && index >= countFrom) machine.calls.isAfterDeath = true;
      this.#adoptLate();
      if (Number.isFinite(countFrom) && index < countFrom) continue;
      await machine.judge(() => this.#checks.all(index, this.#pending));
      await this.#clones.check();
      if (machine.world.isDead) await this.#recover();
    }
    this.done.push('the end');
    await this.#rest();
  }

  /** Tries again where the host died or was full meanwhile: the disk is there, whole, or not at all. */
  async #create(diskId: DiskId): Promise<void> {
    const { machine, oracle } = this;
    const isThere = (): boolean => machine.engine.timeline().disks.some(({ id }) => id === diskId);
    for (let tries = 0; tries < 10 && !isThere(); tries++) {
      await this.#try(() => machine.engine.createDisk(diskId, machine.virtualBytes));
      if (machine.world.isDead) await this.#recover();
      machine.relieve();
    }
    oracle.now.set(diskId, new NowOracle(machine.engine.volume(diskId).sizeBytes));
  }

  async #do(operation: Operation): Promise<void> {
    const { machine } = this;
    switch (operation.do) {
      case 'write':
      case 'zero':
      case 'trim':
        return this.#guest.write(operation);
      case 'flush':
        return this.#guest.flush(operation);
      case 'step':
        return machine.advance(operation.count);
      case 'settle':
        machine.world.ring();
        return machine.drain();
      case 'pause':
      case 'resume':
        await this.#try(async () => machine.engine.setSettling(operation.do === 'resume'));
        return;
      case 'compact':
        await this.#try(async () =>
          machine.engine.compact(operation.isStopping ? 'stop' : operation.isPausing ? 'pause' : 'run'),
        );
        return;
      case 'compare':
      case 'read':
      case 'cost':
      case 'verify':
        return machine.judge(() => this.#checks.look(operation));
      case 'reopen':
        return this.#reopen();
      case 'die':
        if (operation.calls === 0) machine.world.crash(operation.kind);
        else machine.world.fuse = { left: operation.calls, kind: operation.kind, at: operation.at };
        return;
      case 'full':
        machine.world.isHonest = operation.isTold === true;
        return machine.world.shorten(operation.bytes);
      case 'relieve':
        if (isSettlingRefused(machine.engine)) machine.refusals++;
        return machine.relieve();
      case 'fail':
        machine.faults.next = { what: operation.what, left: operation.after };
        return;
      default:
        // A person's operations wait until the disks can be believed again; the loss of a timeline does not.
        if (this.#isLate || (machine.isPoisoned && operation.do !== 'rescue')) return;
        await this.#control(operation);
    }
  }

  // The person

  async #control(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'take':
        return this.#take(operation.meanwhile);
      case 'goBack':
        return this.#goBack(operation.which);
      case 'rest':
        return void (await this.#try(() => this.machine.engine.rest()));
      case 'undo':
        return void (await this.#try(() => this.machine.engine.undoSettling()));
      case 'delete':
      case 'restore':
        return this.#trash(operation.which, operation.do === 'delete');
      case 'update':
        return this.#update(operation.which);
      case 'grow':
        return this.#grow(operation.disk, operation.more);
      case 'graft':
        return this.#graft(operation);
      case 'purge':
        return this.#purge(operation.which, operation.isAll);
      case 'clone':
        return this.#clone(operation.which, operation.at);
      case 'rescue':
        return this.#lose(operation);
    }
  }

  /** True: done. False: the machine died, or refused for a reason that is allowed. */
  async #try(work: () => Promise<unknown>): Promise<boolean> {
    const { machine } = this;
    const { struck } = machine.faults;
    const outcome = await machine.pump(work());
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
    return outcome.is === 'done';
  }

  async #take(meanwhile: Meanwhile | undefined): Promise<void> {
    const { machine, oracle } = this;
    const what = { name: `after ${this.done.length}`, note: '', kind: 'manual' } as const;
    const taken = oracle.snapshot();
    this.#pending.take = taken;
    await this.#try(() => this.#guest.during(machine.engine.takeMoment(what), meanwhile, taken));
    this.#observeUnlessLate();
  }

  /** T14: a recorded take will be completed; one that is not recorded has changed nothing. */
  #observeUnlessLate(): void {
    const { world } = this.machine;
    if (!world.isDead && !world.store.rows('op').some(op => op.kind === 'take')) this.#observe(false);
  }

  get #isLate(): boolean {
    return this.#pending.take !== null || this.#pending.grow !== null;
  }

  async #grow(disk: number, more: number): Promise<void> {
    const { engine } = this.machine;
    const diskId = this.machine.disk(disk);
    const bytes = exactSize(engine.volume(diskId).sizeBytes + 1 + more);
    if (bytes > GROWN_MAX) return;
    this.#pending.grow = { diskId, bytes };
    await this.#try(() => engine.growDisk(diskId, bytes));
    this.#observeUnlessLate();
  }

  async #graft({ which, ...what }: Extract<Operation, { readonly do: 'graft' }>): Promise<void> {
    const { machine, oracle } = this;
    const live = oracle.those(false);
    const momentId = live[which % live.length];
    if (momentId === undefined) return;
    const { content, work } = graftOnto(machine.engine, oracle, momentId, what);
    this.#pending.graft = certain(content);
    await this.#try(work);
    if (!machine.world.isDead) this.#observe(false);
  }

  /** Adopts what a full disk delayed once it has been completed. */
  #adoptLate(): void {
    const { machine } = this;
    if (!this.#isLate) return;
    if (machine.world.store.rows('op').some(op => op.kind === 'take')) return;
    this.#observe(false);
  }

  async #goBack(which: number): Promise<void> {
    const { machine, oracle } = this;
    const live = oracle.those(false);
    const momentId = live[which % live.length];
    if (momentId === undefined) return;
    this.#pending.goBack = { target: oracle.of(momentId).content, left: oracle.snapshot() };
    const isDone = await this.#try(() =>
      machine.engine.goBack({ momentId, keepName: `kept ${this.done.length}` }),
    );
    if (machine.world.isDead) return;
    this.#staying = isDone ? null : (this.#pending.goBack?.left ?? null);
    // Noted even while a poisoned disk will not show it: the guest's next writes go to the new leaf.
    if (isDone)
      for (const [diskId, bytes] of this.#pending.goBack.target) oracle.disk(diskId).settleOn(bytes, true);
    this.#observe(false, isDone);
  }

  async #trash(which: number, isDelete: boolean): Promise<void> {
    const { machine, oracle } = this;
    const from = oracle.those(!isDelete);
    const momentId = from[which % from.length];
    if (momentId === undefined) return;
    const { engine } = machine;
    if (isDelete && oracle.of(momentId).isPinned) {
      const refused = await machine.pump(engine.deleteMoment(momentId));
      // Without room for a single record the operation under way cannot be completed first, and then that is
      // the answer.
      const isWhy =
        refused.is === 'failed' && /^(?:moment\.pinned|disk\.full)$/.test(refused.cause.body.code);
      if (refused.is === 'done' || (refused.is === 'failed' && !isWhy))
        throw new Violation(`deleting what is pinned: ${refused.is}`);
      return;
    }
    this.#pending.changing.add(momentId);
    const isDone = await this.#try(() =>
      isDelete ? engine.deleteMoment(momentId) : engine.restoreMoment(momentId),
    );
    if (machine.world.isDead) return;
    if (isDone) oracle.of(momentId).isTrashed = isDelete;
    if (isDone) this.#pending.changing.clear();
    this.#observe(false);
  }

  async #update(which: number): Promise<void> {
    const { machine, oracle } = this;
    const live = oracle.those(false);
    const momentId = live[which % live.length];
    if (momentId === undefined) return;
    const known = oracle.of(momentId);
    const [name, pinned] = [`named ${this.done.length}`, !known.isPinned];
    this.#pending.changing.add(momentId);
    const isDone = await this.#try(() => machine.engine.updateMoment({ momentId, name, pinned }));
    if (machine.world.isDead) return;
    if (isDone) Object.assign(known, { name, isPinned: pinned });
    if (isDone) this.#pending.changing.clear();
    this.#observe(false);
  }

  /** `cost` says what a purge frees; with nothing else under way the purge frees that, to the byte. */
  async #purge(which: number, isAll: boolean): Promise<void> {
    const { machine, oracle } = this;
    const trash = oracle.those(true);
    if (!isAll) await machine.drain();
    const one = trash[which % trash.length];
    if (one === undefined || machine.world.isDead) return;
    machine.noticePoison();
    if (machine.isPoisoned) return;
    const going = new Set(isAll ? trash : [one]);
    for (const id of going) this.#pending.changing.add(id);
    const cost = isAll
      ? null
      : await machine.judge(() => machine.ask(() => machine.engine.inspect.cost(one)));
    machine.faults.unlinked.clear();
    // Files that could not be unlinked before go now; the purge that was to unlink them has told of them.
    const late = new Set(machine.world.store.rows('unlink').map(({ id }) => fileName(id)));
    const { struck } = machine.faults;
    let freed: number | null = null;
    const isDone = await this.#try(async () => {
      const { freedBytes } = await machine.engine.purge(({ id }) => going.has(id));
      freed = freedBytes;
    });
    if (machine.world.isDead) return;
    if (isDone) {
      for (const id of going) oracle.moments.delete(id);
      this.#pending.changing.clear();
    }
    // On a full or failing host an unlink may have to wait.
    if (isDone && cost !== null && machine.faults.struck === struck && !machine.world.wasFull) {
      // Run files are left out: they go with a take that ends late.
      const images = [...machine.faults.unlinked].filter(([name]) => !isRunFileName(name) && !late.has(name));
      const unlinked = images.reduce((sum, [, bytes]) => sum + bytes, 0);
      if (cost.freesNowBytes !== freed || freed !== unlinked)
        throw new Violation(
          `the cost said ${cost.freesNowBytes} bytes, the purge ${freed}, and the files had ${unlinked}`,
        );
    }
    this.#observe(false);
  }

  /** Checks which pending operations have happened; afterwards the oracle is certain again. */
  #observe(isLoose: boolean, isGoneBack: boolean | null = null): void {
    try {
      this.machine.judge(() => this.#checks.adopt(this.#pending, isLoose, isGoneBack));
    } catch (cause) {
      // What a poisoned disk refuses to show is checked when it is opened again.
      this.machine.noticePoison();
      if (!(cause instanceof Fault) || !this.machine.isPoisoned) throw cause;
      return;
    }
    this.#pending = nothing();
  }

  async #reopen(): Promise<void> {
    if (await this.#close()) await this.machine.open();
  }

  /** False: the machine died, or was ended since its disks cannot be believed. */
  async #close(): Promise<boolean> {
    const { machine, oracle } = this;
    machine.noticePoison();
    const [wasPoisoned, { struck }] = [machine.isPoisoned, machine.faults];
    const outcome = await machine.pump(machine.engine.close());
    if (outcome.is === 'dead') return false;
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
    if (outcome.is === 'failed' || wasPoisoned || machine.faults.struck > struck) {
      machine.world.crash('process');
      return false;
    }
    // T12: everything is on the disk, for any reader, whatever the host does next.
    oracle.flushedAll();
    this.#checks.files(this.#pending, 'closed');
    return true;
  }

  async #clone(which: number, at: number): Promise<void> {
    const { machine, oracle } = this;
    const live = oracle.those(false);
    const { moments } = machine.judge(() => machine.engine.timeline());
    const moment = moments.find(({ id }) => id === live[which % live.length]);
    const point = moment?.points[at % moment.points.length];
    if (moment === undefined || point === undefined || this.#clones.count >= CLONES_MAX) return;
    const content = oracle.of(moment.id).content.get(point.diskId);
    if (content === undefined) throw new Violation(`point ${point.pointId} has no content`);
    await this.#try(() => this.#clones.make(point.pointId, content));
    if (!machine.world.isDead) this.#clones.observe();
  }

  /** T5: the timeline is lost; the next opening begins with a rescue. */
  async #lose({ after, ...what }: Extract<Operation, { readonly do: 'rescue' }>): Promise<void> {
    const { machine } = this;
    machine.noticePoison();
    const { isArmed } = machine.calls;
    machine.calls.isArmed = false;
    // T14: a machine whose disks cannot be believed is ended, not closed.
    const isLost = after !== 'close' || machine.isPoisoned || (await this.#close());
    // The leaf of a failed going back stays sealed only where a failing disk could not unseal it.
    if (!machine.isPoisoned || !what.isNameless) this.#staying = null;
    machine.calls.isArmed = isArmed;
    if (isLost && !machine.world.isDead) machine.lose(after === 'close' ? 'process' : after, what);
  }

  async #recover(): Promise<void> {
    const { machine } = this;
    let hadPowerCut = false;
    // Writes that failed on a poisoned file are there or not; the point of a take in between may be any
    // mixture.
    let isLoose = machine.isPoisoned;
    this.#checks.doubted.clear();
    do {
      const wasPower = machine.afterDeath();
      hadPowerCut ||= wasPower;
      isLoose ||= wasPower;
      this.#checks.files(this.#pending, 'before recovery');
      this.#clones.files();
    } while (!(await this.#opensSound()));
    isLoose ||= this.#checks.doubted.size > 0;
    const { loss } = machine;
    machine.loss = null;
    if (loss !== null) machine.judge(() => this.#checks.rescued(loss));
    const sealed = loss === null ? null : this.#staying;
    this.#staying = null;
    machine.judge(() => this.#checks.nowAfter(this.#pending, hadPowerCut, sealed));
    this.#observe(isLoose);
  }

  /** False: the machine died again, or a sync failed in what the opening began, so that it is ended (T14). */
  async #opensSound(): Promise<boolean> {
    const { machine } = this;
    if (!(await machine.open())) return false;
    for (;;) {
      const { struck } = machine.faults;
      const ended = await machine.pump(endDoubts(machine.engine, id => this.#checks.doubted.add(id)));
      if (ended.is === 'dead') return false;
      if (ended.is === 'done') break;
      machine.excuse(ended.cause, struck);
      machine.relieve();
    }
    machine.noticePoison();
    if (machine.isPoisoned) machine.world.crash('process');
    return !machine.isPoisoned;
  }

  /** The end: settled and closed, nothing left over (T5, T12, T17). */
  async #rest(): Promise<void> {
    const { machine } = this;
    machine.world.fuse = null;
    machine.faults.next = null;
    machine.relieve();
    machine.calls.isArmed = machine.calls.isAfterDeath;
    do {
      if (machine.world.isDead) await this.#recover();
      machine.world.ring();
      await machine.drain();
      machine.noticePoison();
      if (machine.isPoisoned) machine.world.crash('process');
    } while (machine.world.isDead);
    machine.calls.isArmed = false;
    machine.relieve();
    await machine.drain();
    this.#adoptLate();
    machine.engine.setSettling(true);
    await machine.pump(machine.engine.rest());
    await machine.pump(machine.engine.settle());
    await machine.judge(() => this.#checks.all(0, this.#pending));
    await machine.judge(() => this.#checks.atRest());
    await this.#clones.check();
    await machine.pump(machine.engine.close());
    this.#checks.files(this.#pending, 'closed at the end');
    this.#checks.headers();
  }
}
