// One history of one VM: a guest that writes and flushes, a person who takes, goes back and deletes, settling in the
// background, and a host that dies between any two calls, in recovery too. Everything is chosen by the seed.
import { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import type { Volume } from '../../../electron/storage/volume.ts';
import { type DiskId, diskIdSchema, type MomentId, vmIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Seeded } from '../../support/seeded.ts';
import { type CrashKind, SECTOR, SimWorld } from './device.ts';
import { DiskModel, difference, fill, tagsOf } from './model.ts';
import { HeaderReader } from './reader.ts';

const VM = vmIdSchema.parse('11111111-1111-4111-8111-111111111111');
const DISKS = [
  diskIdSchema.parse('22222222-2222-4222-8222-222222222221'),
  diskIdSchema.parse('22222222-2222-4222-8222-222222222222'),
];
/** Block sizes no file of ours has, so that a tiny disk has many blocks, bitmaps and a BAT of several sectors. */
const SHAPES = [
  { blockBytes: 32 * 1024, virtualBytes: 120_000, batchBytes: 32 * 1024 },
  { blockBytes: 16 * 1024, virtualBytes: 60_000, batchBytes: 8 * 1024 },
  { blockBytes: 8 * 1024, virtualBytes: 130_000, batchBytes: 24 * 1024 },
  { blockBytes: 4 * 1024, virtualBytes: 600_000, batchBytes: 48 * 1024 },
];
const FUSES = [3, 10, 30, 100, 300];
/** Half of the crashes wait for calls in which a step becomes durable; there is where mistakes show. */
const FUSE_PLACES = ['sync folder', '.new ends', 'sync', '.new', '→', 'commit'];

type Content = Map<DiskId, number[]>;
type Control =
  | {
      readonly kind: 'take';
      readonly base: Content;
      /** What each sector might have been after a power cut when the take was called. */
      readonly open: ReadonlyMap<DiskId, readonly (readonly number[])[]>;
      readonly writes: Write[];
    }
  | { readonly kind: 'goBack'; readonly target: Content; readonly left: Content }
  | { readonly kind: 'delete'; readonly momentId: MomentId };
interface Write {
  readonly diskId: DiskId;
  readonly sector: number;
  readonly tag: number;
}

export interface UniverseOptions {
  readonly seed: number;
  readonly steps: number;
  readonly crashes: number;
  readonly switchOff?: SwitchOffs;
}

class Violation extends Error {}

/** Lets everything that waits for nothing run. */
const microtasks = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

export class Universe {
  readonly #options: UniverseOptions;
  readonly #random: Seeded;
  readonly #shape: (typeof SHAPES)[number];
  readonly #disks: readonly DiskId[];
  readonly #models = new Map<DiskId, DiskModel>();
  readonly #moments = new Map<MomentId, Content>();
  readonly violations: string[] = [];
  crashes = 0;
  #world: SimWorld;
  #engine: VmEngine | null = null;
  #control: Control | null = null;
  #flushes = 0;
  #order = 0;
  #tag = 0;
  #step = 0;
  /** Found in a promise nobody awaits. */
  #late: string | null = null;

  constructor(options: UniverseOptions) {
    this.#options = options;
    this.#random = new Seeded(options.seed);
    this.#shape = this.#random.pick(SHAPES);
    this.#disks = DISKS.slice(0, 1 + this.#random.below(2));
    this.#world = new SimWorld(this.#random, 'boot-0');
  }

  /** The first violation ends it: what comes after would be its echo. */
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
        `seed ${seed}, step ${this.#step}, after ${this.crashes} crashes (last call: ${this.#world.lastCall}): ${what}`,
      );
    }
  }

  async #live(): Promise<void> {
    await this.#pump(this.#open());
    for (const diskId of this.#disks) {
      await this.#pump(this.#live1.createDisk(diskId, this.#shape.virtualBytes));
      this.#models.set(diskId, new DiskModel(this.#read(this.#volume(diskId))));
    }
    this.#arm();
    for (; this.#step < this.#options.steps; this.#step++) {
      await microtasks();
      if (this.#world.isDead) await this.#recover();
      else this.#act();
      if (this.#late !== null) throw new Violation(this.#late);
    }
    this.#world.fuse = null;
    await this.#rest();
  }

  get #live1(): VmEngine {
    if (this.#engine === null) throw new Violation('no engine');
    return this.#engine;
  }

  #volume(diskId: DiskId): Volume {
    return this.#live1.volume(diskId);
  }

  #model(diskId: DiskId): DiskModel {
    const model = this.#models.get(diskId);
    if (model === undefined) throw new Violation(`no model of ${diskId}`);
    return model;
  }

  #arm(): void {
    if (this.crashes >= this.#options.crashes) return;
    const kind: CrashKind = this.#random.below(100) < 60 ? 'power' : 'process';
    const at = this.#random.below(2) === 0 ? '' : this.#random.pick(FUSE_PLACES);
    const longest = at === '' ? this.#random.pick(FUSES) : 12;
    this.#world.fuse = { left: 1 + this.#random.below(longest), kind, at };
  }

  async #open(): Promise<void> {
    const world = this.#world;
    const { switchOff } = this.#options;
    const { blockBytes, batchBytes } = this.#shape;
    this.#engine = await VmEngine.open(
      VM,
      {
        diskFolder: diskId => world.folder(diskId),
        store: world.store,
        clock: world.clock(),
        random: world.randomPort(),
        bootId: world.bootId,
        turn: () => world.later('turn', () => undefined),
      },
      { blockBytes, batchBytes, ...(switchOff === undefined ? {} : { switchOff }) },
    );
  }

  /** Until it ends or the world does; answers whether it ended. */
  async #pump(work: Promise<unknown>): Promise<boolean> {
    let ended = false;
    let failure: { readonly cause: unknown } | null = null;
    work.then(
      () => {
        ended = true;
      },
      (cause: unknown) => {
        failure = { cause };
      },
    );
    const world = this.#world;
    for (let idle = 0; ; ) {
      await microtasks();
      if (world.isDead) return false;
      if (failure !== null) throw (failure as { cause: unknown }).cause;
      if (ended) return true;
      if (world.waiting > 0) world.advance();
      else if (++idle > 3) throw new Violation('nothing is under way, yet it does not end');
    }
  }

  #act(): void {
    const { waiting } = this.#world;
    if (waiting > 0 && this.#random.below(100) < 55) return this.#world.advance();
    const isQuiet = this.#control?.kind === 'goBack';
    const choice = this.#random.below(100);
    if (choice < 8) this.#startControl();
    else if (choice < 12) this.#check('while running');
    else if (choice < 15) this.#live1.setSettling(this.#random.below(4) > 0);
    else if (isQuiet) this.#world.waiting > 0 && this.#world.advance();
    else if (choice < 30) this.#flush();
    else if (choice < 38) this.#zero(choice < 34);
    else this.#write();
  }

  // The guest

  #range(diskId: DiskId): { readonly first: number; readonly count: number } {
    const sectors = this.#model(diskId).now.length;
    const isAligned = this.#random.below(3) > 0;
    const longest = this.#random.pick([1, 8, 24, 100]);
    let first = this.#random.below(sectors);
    let count = 1 + this.#random.below(longest);
    // Near the start of the disk most of the time, so that histories overlap.
    if (this.#random.below(2) === 0) first %= 64;
    if (isAligned) {
      first -= first % 8;
      count = Math.ceil(count / 8) * 8;
    }
    return { first, count: Math.min(count, sectors - first) };
  }

  #note(diskId: DiskId, sector: number, tag: number): void {
    const model = this.#model(diskId);
    if (this.#world.isDead) model.torn(sector, model.now[sector] ?? 0);
    model.write(sector, tag, ++this.#order);
    if (this.#control?.kind === 'take') this.#control.writes.push({ diskId, sector, tag });
  }

  #write(): void {
    const diskId = this.#random.pick(this.#disks);
    const { first, count } = this.#range(diskId);
    const tags = Array.from({ length: count }, () => ++this.#tag);
    const bytes = new Uint8Array(count * SECTOR);
    fill(bytes, tags);
    this.#volume(diskId).write(bytes, first * SECTOR);
    for (const [index, tag] of tags.entries()) this.#note(diskId, first + index, tag);
  }

  #zero(isTrim: boolean): void {
    const diskId = this.#random.pick(this.#disks);
    const { first, count } = this.#range(diskId);
    const volume = this.#volume(diskId);
    if (!isTrim) {
      volume.zero(first * SECTOR, count * SECTOR, this.#random.below(2) === 0);
      for (let index = 0; index < count; index++) this.#note(diskId, first + index, 0);
      return;
    }
    volume.trim(first * SECTOR, count * SECTOR);
    const found = this.#read(volume);
    const { now } = this.#model(diskId);
    for (let sector = first; sector < first + count; sector++) {
      if (found[sector] !== 0 && found[sector] !== now[sector])
        throw new Violation(`after a trim sector ${sector} of ${diskId} is ${found[sector]}`);
      if (found[sector] !== now[sector]) this.#note(diskId, sector, 0);
    }
  }

  #flush(): void {
    if (this.#flushes >= 3) return;
    const world = this.#world;
    const diskId = this.#random.pick(this.#disks);
    const order = this.#order;
    this.#flushes++;
    this.#volume(diskId)
      .flush()
      .then(
        () => {
          if (world.isDead) return;
          this.#flushes--;
          this.#model(diskId).flushed(order);
        },
        (cause: unknown) => this.#fail(world, 'flush', cause),
      );
  }

  #fail(world: SimWorld, doing: string, cause: unknown): void {
    if (world.isDead) return;
    this.#late ??= `${doing} failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`;
  }

  // The person

  #content(): Content {
    return new Map(this.#disks.map(diskId => [diskId, [...this.#model(diskId).now]]));
  }

  #startControl(): void {
    if (this.#control !== null) return;
    const moments = [...this.#moments.keys()];
    const choice = this.#random.below(100);
    if (moments.length === 0 || (choice < 50 && moments.length < 7)) this.#take();
    else if (choice < 75) this.#flushes === 0 && this.#goBack(this.#random.pick(moments));
    else this.#delete(this.#random.pick(moments));
  }

  #take(): void {
    const world = this.#world;
    const open = new Map(this.#disks.map(diskId => [diskId, this.#model(diskId).allAllowed()]));
    const control: Control = { kind: 'take', base: this.#content(), open, writes: [] };
    this.#control = control;
    this.#live1.takeMoment({ name: 'taken', note: '', kind: 'manual' }).then(
      moment => {
        if (world.isDead) return;
        this.#control = null;
        this.#lately(() => this.#adoptTake(moment.id, control.base, control.writes));
      },
      (cause: unknown) => this.#fail(world, 'take', cause),
    );
  }

  #lately(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#late ??= cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    }
  }

  /** T6: the point is the disks as they were at one instant between the call and the answer. */
  #adoptTake(momentId: MomentId, base: Content, writes: readonly Write[]): void {
    const found = this.#contentOf(momentId);
    const at = new Map([...base].map(([diskId, tags]) => [diskId, [...tags]]));
    const isNow = (): boolean =>
      this.#disks.every(diskId => difference(found.get(diskId) ?? null, at.get(diskId) ?? []) === null);
    let isFound = isNow();
    for (const { diskId, sector, tag } of writes) {
      if (isFound) break;
      const tags = at.get(diskId);
      if (tags !== undefined) tags[sector] = tag;
      isFound = isNow();
    }
    if (!isFound) throw new Violation(`point ${momentId} is no instant of the time it was taken in`);
    this.#moments.set(momentId, found);
  }

  #goBack(momentId: MomentId): void {
    const world = this.#world;
    const target = this.#moments.get(momentId) ?? new Map();
    const left = this.#content();
    this.#control = { kind: 'goBack', target, left };
    const before = new Set(this.#live1.timeline().moments.map(moment => moment.id));
    this.#live1.goBack({ momentId, keepName: 'kept' }).then(
      () => {
        if (world.isDead) return;
        this.#control = null;
        this.#lately(() => {
          for (const diskId of this.#disks) this.#model(diskId).settleOn(target.get(diskId) ?? [], true);
          for (const { id } of this.#live1.timeline().moments)
            if (!before.has(id)) this.#moments.set(id, left);
          this.#check('after going back');
        });
      },
      (cause: unknown) => this.#fail(world, 'going back', cause),
    );
  }

  #delete(momentId: MomentId): void {
    const world = this.#world;
    this.#control = { kind: 'delete', momentId };
    const done = (): void => {
      this.#control = null;
    };
    this.#live1.deleteMoment(momentId).then(
      () => {
        if (world.isDead) return;
        this.#moments.delete(momentId);
        done();
      },
      (cause: unknown) => {
        if (world.isDead) return;
        // Points that others hang off are kept, and it says so (T8, T18).
        if (cause instanceof Fault && cause.body.code.startsWith('moment.')) done();
        else this.#fail(world, 'delete', cause);
      },
    );
  }

  // The judge

  #read(volume: Volume): number[] {
    const bytes = new Uint8Array(volume.sizeBytes);
    volume.read(bytes, 0);
    return tagsOf(bytes);
  }

  #contentOf(momentId: MomentId): Content {
    const moment = this.#live1.timeline().moments.find(({ id }) => id === momentId);
    if (moment === undefined) throw new Violation(`point ${momentId} is gone`);
    return new Map(
      moment.points.map(({ diskId, pointId }) => [diskId, this.#read(this.#live1.pointReader(pointId))]),
    );
  }

  /** I1 and Now, through the engine. */
  #check(when: string): void {
    // While going back Now is the one or the other; nobody is using it.
    if (this.#control?.kind !== 'goBack')
      for (const diskId of this.#disks)
        this.#expect(this.#read(this.#volume(diskId)), this.#model(diskId).now, `${when}: Now of ${diskId}`);
    const deleting = this.#control?.kind === 'delete' ? this.#control.momentId : null;
    for (const [momentId, content] of this.#moments) {
      if (momentId === deleting) continue;
      const found = this.#contentOf(momentId);
      for (const [diskId, tags] of content)
        this.#expect(found.get(diskId) ?? null, tags, `${when}: point ${momentId} of ${diskId}`);
    }
  }

  #expect(found: readonly number[] | null, expected: readonly number[], what: string): void {
    const wrong = difference(found, expected);
    if (wrong !== null) throw new Violation(`${what}: ${wrong}`);
  }

  async #recover(): Promise<void> {
    let hadPowerCut = false;
    for (;;) {
      const { after, diedBy } = this.#world;
      if (after === null) break;
      hadPowerCut ||= diedBy === 'power';
      this.crashes++;
      this.#engine = null;
      this.#world = after;
      this.#checkFiles(hadPowerCut);
      if (this.#random.below(3) === 0) this.#arm();
      if (await this.#pump(this.#open())) break;
    }
    this.#flushes = 0;
    this.#checkNow(hadPowerCut);
    this.#adoptNew(hadPowerCut);
    this.#control = null;
    this.#check('after recovery');
    if (this.#world.fuse === null) this.#arm();
  }

  /** T3, T5: right after the crash, before recovery, read by other code from the headers as they are. */
  #checkFiles(hadPowerCut: boolean): void {
    const { store } = this.#world;
    const deleting = this.#control?.kind === 'delete' ? this.#control.momentId : null;
    const points = store.rows('point');
    for (const disk of store.rows('disk')) {
      const reader = new HeaderReader(this.#world.folder(disk.id));
      const tagged = (uuid: string): number[] | null => {
        const bytes = reader.content(uuid);
        return bytes === null ? null : tagsOf(new Uint8Array(bytes));
      };
      for (const [momentId, content] of this.#moments) {
        const point = points.find(row => row.momentId === momentId && row.diskId === disk.id);
        if (point === undefined && momentId === deleting) continue;
        this.#expect(
          point === undefined ? null : tagged(point.id),
          content.get(disk.id) ?? [],
          `before recovery: point ${momentId} of ${disk.id}`,
        );
      }
      const take = store.rows('op').find(op => op.kind === 'take');
      const leaf = take?.leaves.find(entry => entry.diskId === disk.id)?.leaf ?? disk.leaf;
      const now = tagged(leaf);
      if (now === null) throw new Violation(`before recovery: Now of ${disk.id} cannot be read`);
      this.#judgeNow(disk.id, now, 'before recovery', hadPowerCut, true);
    }
  }

  #checkNow(hadPowerCut: boolean): void {
    for (const diskId of this.#disks) {
      const found = this.#read(this.#volume(diskId));
      this.#judgeNow(diskId, found, 'after recovery', hadPowerCut, false);
    }
  }

  /** T10 after a power cut; T11 after a process death: everything written is there once the run file is replayed. */
  #judgeNow(
    diskId: DiskId,
    found: readonly number[],
    when: string,
    hadPowerCut: boolean,
    isRaw: boolean,
  ): void {
    const model = this.#model(diskId);
    const isLoose = hadPowerCut || isRaw;
    const wrong = isLoose ? model.strayAfterPowerCut(found) : model.strayAfterProcessDeath(found);
    if (wrong === null) return;
    if (this.#control?.kind === 'goBack') {
      if (difference(found, this.#control.target.get(diskId) ?? []) === null) return;
    }
    throw new Violation(`${when}: Now of ${diskId}: ${wrong}`);
  }

  /** What the crash left of the operation under way: done or not done, and what is now is what was found. */
  #adoptNew(hadPowerCut: boolean): void {
    const control = this.#control;
    const known = new Set(this.#moments.keys());
    const fresh = this.#live1.timeline().moments.filter(({ id }) => !known.has(id));
    if (fresh.length > (control === null || control.kind === 'delete' ? 0 : 1))
      throw new Violation(`after recovery there are points nobody took: ${fresh.map(({ id }) => id)}`);
    for (const { id } of fresh) {
      if (control?.kind === 'take') this.#adoptFoundTake(id, control, hadPowerCut);
      if (control?.kind === 'goBack') this.#moments.set(id, control.left);
    }
    if (control?.kind === 'delete') {
      const isThere = this.#live1.timeline().moments.some(({ id }) => id === control.momentId);
      if (!isThere) this.#moments.delete(control.momentId);
    }
    for (const diskId of this.#disks) {
      const isGoneBack = control?.kind === 'goBack';
      this.#model(diskId).settleOn(this.#read(this.#volume(diskId)), hadPowerCut || isGoneBack);
    }
  }

  #adoptFoundTake(momentId: MomentId, control: Control & { kind: 'take' }, hadPowerCut: boolean): void {
    if (!hadPowerCut) return this.#adoptTake(momentId, control.base, control.writes);
    const found = this.#contentOf(momentId);
    for (const [diskId, tags] of found) {
      const may = (control.open.get(diskId) ?? []).map(values => new Set(values));
      for (const write of control.writes) if (write.diskId === diskId) may[write.sector]?.add(write.tag);
      const stray = tags.findIndex((tag, sector) => may[sector]?.has(tag) !== true);
      if (stray >= 0)
        throw new Violation(
          `point ${momentId}, taken while the power went: sector ${stray} is ${tags[stray]}, may be ${[...(may[stray] ?? [])].join(' or ')}`,
        );
    }
    this.#moments.set(momentId, found);
  }

  /** The end: settled, closed, nothing left over, the tree in the headers the tree in the database (T5, T12, T17). */
  async #rest(): Promise<void> {
    for (;;) {
      await microtasks();
      if (this.#world.isDead) await this.#recover();
      this.#world.fuse = null;
      if (this.#control === null && this.#flushes === 0) break;
      if (this.#world.waiting === 0) await microtasks();
      if (this.#world.waiting > 0) this.#world.advance();
      if (this.#late !== null) throw new Violation(this.#late);
    }
    this.#live1.setSettling(true);
    await this.#pump(this.#live1.settle());
    const { settle } = this.#live1.timeline();
    if (settle.state !== 'rest')
      throw new Violation(`does not come to rest: ${settle.state} ${settle.reason}`);
    this.#check('at rest');
    await this.#pump(this.#live1.close());
    this.#checkHeaders();
    await this.#pump(this.#open());
    this.#check('opened again');
  }

  #checkHeaders(): void {
    const { store } = this.#world;
    for (const disk of store.rows('disk')) {
      const folder = this.#world.folder(disk.id);
      const reader = new HeaderReader(folder);
      const points = store.rows('point').filter(point => point.diskId === disk.id);
      const expected = [...points.map(point => `${point.id}.vhd`), `${disk.leaf}.vhd`].sort();
      const found = folder.list();
      if (found.join() !== expected.join())
        throw new Violation(`${disk.id} has files ${found.join(' ')}, expected ${expected.join(' ')}`);
      if (reader.roots !== 1) throw new Violation(`${disk.id} has ${reader.roots} roots`);
      for (const row of [...points, { id: disk.leaf, parent: disk.leafParent }]) {
        const parent = reader.parentOf(row.id);
        if (parent !== row.parent)
          throw new Violation(`header of ${row.id}: parent ${parent}, not ${row.parent}`);
      }
      for (const name of found) this.#checkEndFooter(folder.open(name, 'read-only'));
    }
  }

  #checkEndFooter(file: { name: string; sizeBytes(): number; read(to: Uint8Array, at: number): void }): void {
    const [head, end] = [new Uint8Array(512), new Uint8Array(512)];
    file.read(head, 0);
    file.read(end, file.sizeBytes() - 512);
    if (Buffer.compare(head, end) !== 0) throw new Violation(`${file.name} has no end footer`);
  }
}
