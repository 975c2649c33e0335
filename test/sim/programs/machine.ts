// The real engine on the simulated machine, and what may be done to it. Whatever takes time is awaited here:
// the things under way end one after another, until the awaited one ends or the machine dies.
import { fileName } from '../../../electron/storage/disk/disk-files.ts';
import { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { MemoryStore } from '../../../electron/storage/disk/memory-store.ts';
import { type Mirror, mirrorOf } from '../../../electron/storage/disk/mirror.ts';
import { rescueRows } from '../../../electron/storage/disk/rescue.ts';
import { runFileNames } from '../../../electron/storage/disk/run-file.ts';
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { Tree } from '../../../electron/storage/disk/tree.ts';
import { type DiskId, diskIdSchema, vmIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Seeded } from '../../support/seeded.ts';
import { isRefusal } from '../storage/chances.ts';
import { type CrashKind, SimWorld } from '../storage/device.ts';
import { Violation } from '../storage/judge.ts';
import type { Calls } from './calls.ts';
import { Faults } from './faults.ts';

const VM = vmIdSchema.parse('11111111-1111-4111-8111-111111111111');
const DISKS = [
  diskIdSchema.parse('22222222-2222-4222-8222-222222222221'),
  diskIdSchema.parse('22222222-2222-4222-8222-222222222222'),
];
/** No file of ours has such small blocks: here a tiny disk has many blocks and bitmaps. */
const SHAPES = [
  { blockBytes: 8 * 1024, virtualBytes: 60_000, batchBytes: 16 * 1024 },
  { blockBytes: 16 * 1024, virtualBytes: 100_000, batchBytes: 8 * 1024 },
  { blockBytes: 4 * 1024, virtualBytes: 100_000, batchBytes: 24 * 1024 },
  { blockBytes: 32 * 1024, virtualBytes: 200_000, batchBytes: 32 * 1024 },
];

export type Outcome<T> =
  | { readonly is: 'done'; readonly value: T }
  | { readonly is: 'failed'; readonly cause: Fault }
  | { readonly is: 'dead' };

/** Runs everything that waits for nothing. */
export const microtasks = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));

/** Lets things under way end one after another, until this work has ended or the world has died. */
export async function pumpWorld<T>(world: SimWorld, work: Promise<T>): Promise<Outcome<T>> {
  let outcome: Outcome<T> | { readonly is: 'bug'; readonly cause: unknown } | null = null;
  work.then(
    value => {
      outcome = { is: 'done', value };
    },
    (cause: unknown) => {
      outcome = cause instanceof Fault ? { is: 'failed', cause } : { is: 'bug', cause };
    },
  );
  for (let idle = 0; ; ) {
    await microtasks();
    if (world.isDead) return { is: 'dead' };
    const ended = outcome as Outcome<T> | { readonly is: 'bug'; readonly cause: unknown } | null;
    if (ended?.is === 'bug') throw ended.cause;
    if (ended !== null) return ended as Outcome<T>;
    if (world.waiting > 0) world.advance();
    else if (++idle > 3) throw new Violation('nothing is under way, yet it does not end');
  }
}

/** What the host's file system can do: share ranges, and punch (T16, T3). */
export interface Host {
  readonly canClone: boolean;
  readonly canPunch: boolean;
}

/** The host of a program. */
const hostOf = (schedule: number): Host => ({ canClone: schedule % 3 === 0, canPunch: schedule % 5 === 0 });

/** A timeline that was lost. */
export interface Loss {
  readonly store: MemoryStore;
  /** Null: the mirror is lost, too. */
  readonly mirror: Mirror | null;
  /** Disks whose leaf is lost. */
  readonly leafless: readonly DiskId[];
}

const isEmpty = (store: MemoryStore): boolean => store.rows('disk').length === 0;

export class Machine {
  readonly disks: readonly DiskId[];
  readonly virtualBytes: number;
  readonly #shape: (typeof SHAPES)[number];
  world: SimWorld;
  faults: Faults;
  readonly calls: Calls;
  #engine: VmEngine | null = null;
  /** A sync failed: this engine must not be trusted any more, until somebody opens the disks again (T14). */
  isPoisoned = false;
  /** No background work goes on while a question is answered, so that the answer is about this state. */
  #isAsking = false;

  /** How often an operation was refused for want of room before it began (T14). */
  refusals = 0;
  /** Set until the timeline has been rescued. */
  loss: Loss | null = null;

  readonly #switchOff: SwitchOffs;

  constructor(schedule: number, switchOff: SwitchOffs, calls: Calls, host = hostOf(schedule)) {
    this.#switchOff = switchOff;
    this.calls = calls;
    this.faults = new Faults(calls);
    const random = new Seeded(schedule);
    this.#shape = random.pick(SHAPES);
    this.virtualBytes = this.#shape.virtualBytes;
    this.disks = DISKS.slice(0, 1 + random.below(2));
    this.world = new SimWorld(random, 'boot-0');
    Object.assign(this.world, host);
    this.faults.watchCommits(this.world);
  }

  /** One of the VM's disks, for any number. */
  disk(index: number): DiskId {
    return this.disks[index % this.disks.length] as DiskId;
  }

  get engine(): VmEngine {
    if (this.#engine === null) throw new Violation('no engine');
    return this.#engine;
  }

  async #open(): Promise<void> {
    const { world, loss } = this;
    if (loss !== null && isEmpty(world.store)) await this.#rescue(loss);
    this.#engine = await this.engineOn(world.store);
  }

  /** Opens the engine of any VM on this host. */
  engineOn(store: MemoryStore): Promise<VmEngine> {
    const { world, faults } = this;
    const { blockBytes, batchBytes } = this.#shape;
    return VmEngine.open(
      VM,
      {
        diskFolder: diskId => faults.folder(world, diskId),
        store,
        clock: world.clock(),
        random: world.randomPort(),
        bootId: world.bootId,
        turn: () => (this.#isAsking ? Promise.resolve() : world.later('turn', () => undefined)),
      },
      {
        blockBytes,
        batchBytes,
        cloneMinBytes: 4096,
        roomyBytes: Number.POSITIVE_INFINITY,
        switchOff: this.#switchOff,
      },
    );
  }

  async #rescue({ mirror }: Loss): Promise<void> {
    const { world, faults } = this;
    const { changes } = await rescueRows({
      diskNames: this.disks,
      diskFolder: name => faults.folder(world, name),
      mirrorJson: mirror,
      random: world.randomPort(),
      nowMs: world.clock().wallMs(),
      bootId: world.bootId,
      off: this.#switchOff,
    });
    world.store.commit(changes);
  }

  /** The machine dies, and the next one finds no timeline. */
  lose(kind: CrashKind, { isNameless, isLeafLost }: { isNameless: boolean; isLeafLost: boolean }): void {
    this.world.crash(kind);
    const { after } = this.world;
    if (after === null) throw new Violation('nobody died');
    const { store } = after;
    const lost = isLeafLost ? store.rows('disk').filter(({ leafParent }) => leafParent !== null) : [];
    for (const { id, leaf } of lost)
      for (const name of [fileName(leaf), ...runFileNames(leaf)]) after.loseFile(id, name);
    const mirror = isNameless ? null : mirrorOf(new Tree(store));
    this.loss = { store, mirror, leafless: lost.map(({ id }) => id) };
    after.loseTimeline();
  }

  /** The rows of the database; while it is lost, those it had. */
  get known(): MemoryStore {
    return this.loss?.store ?? this.world.store;
  }

  /** False: it died again. On a full or failing host it tries again, as people do. */
  async open(): Promise<boolean> {
    for (;;) {
      this.isPoisoned = false;
      const { struck } = this.faults;
      const outcome = await this.pump(this.#open());
      if (outcome.is !== 'failed') return outcome.is === 'done';
      this.excuse(outcome.cause, struck);
      this.relieve();
      if (this.faults.struck > struck) this.world.crash('process');
      if (this.world.isDead) return false;
    }
  }

  relieve(): void {
    this.world.relieve();
    this.world.wasFull = false;
    this.world.ring();
  }

  /** Returns where a full or failing host may answer so; throws where the answer is wrong. */
  excuse(cause: unknown, struckBefore: number): void {
    if (isRefusal(cause)) this.refusals++;
    if (cause instanceof Fault) {
      const { code } = cause.body;
      if (code === 'disk.full' && this.world.wasFull) return;
      if (code === 'disk.io' && (this.faults.struck > struckBefore || this.isPoisoned)) return;
      if (code === 'disk.poisoned' && this.faults.struck > 0) return;
    }
    throw cause;
  }

  /** Reads inside `look` are the judge's: they always succeed, and do not count as calls of the engine. */
  judge<T>(look: () => T): T {
    const { faults } = this;
    const { isJudged } = faults;
    const end = (): void => {
      faults.isJudged = isJudged;
    };
    faults.isJudged = true;
    try {
      const found = look();
      if (found instanceof Promise) return found.finally(end) as T;
      end();
      return found;
    } catch (cause) {
      end();
      throw cause;
    }
  }

  /** Until the work ends or the world dies. */
  pump<T>(work: Promise<T>): Promise<Outcome<T>> {
    return pumpWorld(this.world, work);
  }

  /** Asks the engine as it stands; nothing else goes on meanwhile. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    this.#isAsking = true;
    let answer: { readonly value: T } | { readonly cause: unknown } | null = null;
    try {
      question().then(
        value => {
          answer = { value };
        },
        (cause: unknown) => {
          answer = { cause };
        },
      );
      for (let wait = 0; answer === null && wait < 100; wait++) await microtasks();
    } finally {
      this.#isAsking = false;
    }
    const found = answer as { readonly value: T } | { readonly cause: unknown } | null;
    if (found === null) throw new Violation('a question waits for the background work');
    if ('cause' in found) throw found.cause;
    return found.value;
  }

  async advance(count: number): Promise<void> {
    for (let step = 0; step < count && !this.world.isDead; step++) {
      if (this.world.waiting === 0) return;
      this.world.advance();
      await microtasks();
    }
  }

  /** Lets things end until nothing is under way. */
  async drain(): Promise<void> {
    await microtasks();
    for (let steps = 0; this.world.waiting > 0 && !this.world.isDead; steps++) {
      if (steps > 100_000) throw new Violation('settling never ends');
      this.world.advance();
      await microtasks();
    }
  }

  /** Settling fails without a caller; the timeline tells. */
  noticePoison(): void {
    if (this.faults.struck === 0 || this.world.isDead) return;
    const { disks } = this.judge(() => this.engine.timeline());
    if (disks.some(disk => disk.poisoned !== null)) this.isPoisoned = true;
  }

  /** Goes on with the host that finds what the dead one left. Answers whether the power was cut. */
  afterDeath(): boolean {
    const { after, diedBy } = this.world;
    if (after === null) throw new Violation('nobody died');
    this.#engine = null;
    this.world = after;
    const faults = new Faults(this.calls);
    faults.next = this.faults.next;
    faults.watchCommits(after);
    this.faults = faults;
    this.calls.afterDeath();
    this.isPoisoned = false;
    return diedBy === 'power';
  }
}
