// A program run: each operation on the engine and on the oracle, then everything looked at. An operation the machine died
// in, or that a full or failing disk refused, has happened or it has not: what is found decides, and must be one of both.
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import type { Volume } from '../../../electron/storage/volume.ts';
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { SECTOR } from '../storage/inode.ts';
import { Violation } from '../storage/judge.ts';
import { tagsOf } from '../storage/model.ts';
import { Checks } from './checks.ts';
import { Machine, microtasks } from './machine.ts';
import type { Operation, Program } from './operations.ts';
import { type Content, NowOracle, Oracle, type Snapshot } from './oracle.ts';

/** What may have happened, as nobody was told. */
export interface Pending {
  take: Snapshot | null;
  goBack: { readonly target: Content; readonly left: Snapshot } | null;
  /** Trashed or restored, updated, purged. */
  readonly changing: Set<MomentId>;
}

export class Life {
  readonly machine: Machine;
  readonly oracle = new Oracle();
  readonly #checks: Checks;
  #pending: Pending = { take: null, goBack: null, changing: new Set() };
  /** For the trace of a violation. */
  readonly done: string[] = [];

  constructor(schedule: number, switchOff: SwitchOffs = {}) {
    this.machine = new Machine(schedule, switchOff);
    this.#checks = new Checks(this.machine, this.oracle);
  }

  async run({ operations }: Pick<Program, 'operations'>): Promise<void> {
    const { machine, oracle } = this;
    await machine.open();
    for (const diskId of machine.disks) {
      await machine.pump(machine.engine.createDisk(diskId, machine.virtualBytes));
      oracle.now.set(diskId, new NowOracle(machine.engine.volume(diskId).sizeBytes));
    }
    for (const [index, operation] of operations.entries()) {
      this.done.push(JSON.stringify(operation));
      await this.#do(operation);
      await microtasks();
      if (machine.world.isDead) await this.#recover();
      machine.noticePoison();
      this.#adoptLate();
      await this.#checks.all(index, this.#pending);
      if (machine.world.isDead) await this.#recover();
    }
    this.done.push('the end');
    await this.#rest();
  }

  #disk(index: number): DiskId {
    const { disks } = this.machine;
    return disks[index % disks.length] as DiskId;
  }

  async #do(operation: Operation): Promise<void> {
    const { machine } = this;
    switch (operation.do) {
      case 'write':
      case 'zero':
      case 'trim':
        return this.#write(operation);
      case 'flush':
        return this.#flush(operation.disk);
      case 'step':
        return machine.advance(operation.count);
      case 'settle':
        machine.world.ring();
        return machine.drain();
      case 'pause':
      case 'resume':
        await this.#try((async () => machine.engine.setSettling(operation.do === 'resume'))());
        return;
      case 'compare':
      case 'read':
      case 'cost':
      case 'verify':
        return this.#checks.look(operation);
      case 'reopen':
        return this.#reopen();
      case 'die':
        if (operation.calls === 0) machine.world.crash(operation.kind);
        else machine.world.fuse = { left: operation.calls, kind: operation.kind, at: operation.at };
        return;
      case 'full':
        return machine.world.shorten(operation.bytes);
      case 'relieve':
        return machine.relieve();
      case 'fail':
        machine.faults.next = { what: operation.what, left: operation.after };
        return;
      default:
        // What a person does waits until the disks can be believed again.
        if (!machine.isPoisoned && this.#pending.take === null) await this.#control(operation);
    }
  }

  // The guest

  #range({ disk, at, sectors }: { disk: number; at: number; sectors: number }) {
    const diskId = this.#disk(disk);
    const now = this.oracle.disk(diskId);
    const first = at % now.sectors;
    return { diskId, now, first, count: Math.min(sectors, now.sectors - first) };
  }

  #write(operation: Extract<Operation, { readonly do: 'write' | 'zero' | 'trim' }>): void {
    const { diskId, now, first, count } = this.#range(operation);
    const volume = this.machine.engine.volume(diskId);
    const [at, length] = [first * SECTOR, count * SECTOR];
    if (operation.do === 'trim') return this.#trim(volume, now, first, count);
    if (operation.do === 'zero')
      return this.#submit(volume, now, first, new Array<number>(count).fill(0), () =>
        volume.zero(at, length, true),
      );
    const tags = operation.isSame ? now.model.now.slice(first, first + count) : this.oracle.newTags(count);
    const words = new Uint32Array((count * SECTOR) / 4);
    for (const [index, tag] of tags.entries())
      words.fill(tag, (index * SECTOR) / 4, ((index + 1) * SECTOR) / 4);
    this.#submit(volume, now, first, tags, () => volume.write(new Uint8Array(words.buffer), at));
  }

  #submit(volume: Volume, now: NowOracle, first: number, tags: readonly number[], work: () => void): void {
    const { machine, oracle } = this;
    const { struck } = machine.faults;
    oracle.order++;
    try {
      work();
    } catch (cause) {
      if (!machine.world.isDead) {
        machine.excuse(cause, struck);
        return this.#failed(volume, now, first, tags);
      }
    }
    // The machine may have died in it: then nobody was told that it was done.
    if (machine.world.isDead) now.mayWrite(first, tags, oracle.order);
    else now.write(first, tags, oracle.order);
  }

  /** A write that failed may have happened in part; every sector is old or new, and stays what it is seen to be. */
  #failed(volume: Volume, now: NowOracle, first: number, tags: readonly number[]): void {
    const { oracle } = this;
    const before = now.model.now.slice(first, first + tags.length);
    const may = before.map((_, index) => (tag: number) => now.model.mayBe(first + index, tag));
    const found = Buffer.alloc(tags.length * SECTOR);
    try {
      volume.read(found, first * SECTOR);
    } catch (cause) {
      this.machine.excuse(cause, 0);
      return now.mayWrite(first, tags, oracle.order);
    }
    const seen = tagsOf(found);
    seen.forEach((tag, index) => {
      if (tag !== tags[index] && may[index]?.(tag) !== true)
        throw new Violation(`a failed write made sector ${first + index} ${tag}`);
    });
    now.write(first, tags, oracle.order);
    now.write(first, seen, ++oracle.order);
  }

  /** Afterwards zeros or unchanged. */
  #trim(volume: Volume, now: NowOracle, first: number, count: number): void {
    const [start, end] = [Math.ceil(first / 8) * 8, Math.floor((first + count) / 8) * 8];
    const whole = Math.max(0, end - start);
    this.#submit(volume, now, start, new Array<number>(whole).fill(0), () =>
      volume.trim(first * SECTOR, count * SECTOR),
    );
  }

  async #flush(disk: number): Promise<void> {
    const { machine, oracle } = this;
    const diskId = this.#disk(disk);
    const [{ order }, { struck }] = [oracle, machine.faults];
    const outcome = await machine.pump(machine.engine.volume(diskId).flush());
    if (outcome.is === 'done') oracle.disk(diskId).model.flushed(order);
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
  }

  // The person

  async #control(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'take':
        return this.#take();
      case 'goBack':
        return this.#goBack(operation.which);
      case 'rest':
        return void (await this.#try(this.machine.engine.rest()));
      case 'undo':
        return void (await this.#try(this.machine.engine.undoSettling()));
      case 'delete':
      case 'restore':
        return this.#trash(operation.which, operation.do === 'delete');
      case 'update':
        return this.#update(operation.which);
      case 'purge':
        return this.#purge(operation.which, operation.isAll);
    }
  }

  /** True: done. Else it died, or was refused for a reason that is one. */
  async #try(work: Promise<unknown>): Promise<boolean> {
    const { machine } = this;
    const { struck } = machine.faults;
    const outcome = await machine.pump(work);
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
    return outcome.is === 'done';
  }

  async #take(): Promise<void> {
    const { machine, oracle } = this;
    this.#pending.take = oracle.snapshot();
    await this.#try(
      machine.engine.takeMoment({ name: `after ${this.done.length}`, note: '', kind: 'manual' }),
    );
    if (machine.world.isDead) return;
    // T14: recorded, it will be completed; until then nothing was changed.
    const isLate = machine.world.store.rows('op').some(op => op.kind === 'take' && op.moment !== null);
    if (!isLate) this.#observe(false);
  }

  /** A take that a full disk interrupted has been completed since. */
  #adoptLate(): void {
    const { machine } = this;
    if (this.#pending.take === null || machine.isPoisoned) return;
    if (machine.world.store.rows('op').some(op => op.kind === 'take')) return;
    this.#observe(false);
  }

  async #goBack(which: number): Promise<void> {
    const { machine, oracle } = this;
    const live = oracle.those(false);
    const momentId = live[which % live.length];
    if (momentId === undefined) return;
    this.#pending.goBack = { target: oracle.of(momentId).content, left: oracle.snapshot() };
    const isDone = await this.#try(machine.engine.goBack({ momentId, keepName: `kept ${this.done.length}` }));
    if (machine.world.isDead) return;
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
      if (refused.is === 'done' || (refused.is === 'failed' && refused.cause.body.code !== 'moment.pinned'))
        throw new Violation(`deleting what is pinned: ${refused.is}`);
      return;
    }
    this.#pending.changing.add(momentId);
    const work = isDelete ? engine.deleteMoment(momentId) : engine.restoreMoment(momentId);
    const isDone = await this.#try(work);
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
    const isDone = await this.#try(machine.engine.updateMoment({ momentId, name, pinned }));
    if (machine.world.isDead) return;
    if (isDone) Object.assign(known, { name, isPinned: pinned });
    if (isDone) this.#pending.changing.clear();
    this.#observe(false);
  }

  /** `cost` says what a purge frees; with everything at a halt it frees that, to the byte. */
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
    const cost = isAll ? null : await machine.ask(() => machine.engine.inspect.cost(one));
    machine.faults.unlinked.clear();
    const { struck } = machine.faults;
    const purging = machine.engine.purge(({ id }) => going.has(id));
    let freed: number | null = null;
    purging.then(
      ({ freedBytes }) => {
        freed = freedBytes;
      },
      () => undefined,
    );
    const isDone = await this.#try(purging);
    if (machine.world.isDead) return;
    if (isDone) {
      for (const id of going) oracle.moments.delete(id);
      this.#pending.changing.clear();
    }
    // Where the host is full or failing an unlink may have to wait.
    if (isDone && cost !== null && machine.faults.struck === struck && !machine.world.wasFull) {
      const unlinked = [...machine.faults.unlinked.values()].reduce((sum, bytes) => sum + bytes, 0);
      if (cost.freesNowBytes !== freed || freed !== unlinked)
        throw new Violation(
          `the cost said ${cost.freesNowBytes} bytes, the purge ${freed}, and the files had ${unlinked}`,
        );
    }
    this.#observe(false);
  }

  /** Looks which of the things that may have happened have: afterwards the oracle knows again. */
  #observe(isLoose: boolean, isGoneBack: boolean | null = null): void {
    try {
      this.#checks.adopt(this.#pending, isLoose, isGoneBack);
    } catch (cause) {
      // What a poisoned disk refuses to show is looked at when it is opened again.
      this.machine.noticePoison();
      if (!(cause instanceof Fault) || !this.machine.isPoisoned) throw cause;
      return;
    }
    this.#pending = { take: null, goBack: null, changing: new Set() };
  }

  async #reopen(): Promise<void> {
    const { machine, oracle } = this;
    machine.noticePoison();
    const [wasPoisoned, { struck }] = [machine.isPoisoned, machine.faults];
    const outcome = await machine.pump(machine.engine.close());
    if (outcome.is === 'dead') return;
    if (outcome.is === 'failed') {
      machine.excuse(outcome.cause, struck);
      return machine.world.crash('process');
    }
    if (wasPoisoned || machine.faults.struck > struck) return machine.world.crash('process');
    // T12: everything is on the disk, for any reader, whatever the host does next.
    oracle.flushedAll();
    this.#checks.files(this.#pending, 'closed');
    if (!(await machine.open())) return;
  }

  async #recover(): Promise<void> {
    const { machine } = this;
    let hadPowerCut = false;
    // Writes that failed on a poisoned file are there or not; the point of a take in between may be any mixture.
    let isLoose = machine.isPoisoned;
    do {
      const wasPower = machine.afterDeath();
      hadPowerCut ||= wasPower;
      isLoose ||= wasPower;
      this.#checks.files(this.#pending, 'before recovery');
    } while (!(await machine.open()));
    this.#checks.nowAfter(this.#pending, hadPowerCut);
    this.#observe(isLoose);
  }

  /** The end: settled and closed, nothing left over (T5, T12, T17). */
  async #rest(): Promise<void> {
    const { machine } = this;
    machine.world.fuse = null;
    machine.faults.next = null;
    machine.relieve();
    await machine.drain();
    machine.noticePoison();
    if (machine.isPoisoned) machine.world.crash('process');
    if (machine.world.isDead) await this.#recover();
    machine.relieve();
    await machine.drain();
    this.#adoptLate();
    machine.engine.setSettling(true);
    await machine.pump(machine.engine.rest());
    await machine.pump(machine.engine.settle());
    await this.#checks.all(0, this.#pending);
    await this.#checks.atRest();
    await machine.pump(machine.engine.close());
    this.#checks.files(this.#pending, 'closed at the end');
    this.#checks.headers();
  }
}
