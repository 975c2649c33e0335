// A disk drive, its page cache and a host that may die at any call: the ports of electron/platform/ports.ts,
// simulated. Writes are volatile until their file's sync has completed. A power cut keeps any one version of
// every sector written since, and any of the changes of every folder since its sync. A process death keeps
// the page cache and loses memory. A death in a write leaves a part of it, of whole sectors, as drives write
// them, or of whole pages, as the page cache has them. The dead engine is not told: its later calls act on a
// world nobody looks at, and its waits never end.
import { basename, dirname } from 'node:path';
import type { BlockFile, Clock, Folder, Random } from '../../../electron/platform/ports.ts';
import { MemoryStore } from '../../../electron/storage/disk/memory-store.ts';
import { isReversal, type OpRow } from '../../../electron/storage/disk/state.ts';
import { Fault } from '../../../shared/result.ts';
import type { Seeded } from '../../support/seeded.ts';
import { Inode, SECTOR } from './inode.ts';

export type CrashKind = 'power' | 'process';
type Entries = Map<string, Inode>;

/** One change of a directory. Where a power cut lost one, later changes that needed it do nothing. */
interface Change {
  readonly inode: Inode;
  readonly from: string | null;
  readonly to: string | null;
}

function applyChange(entries: Entries, { inode, from, to }: Change): void {
  if (from !== null && entries.get(from) === inode) entries.delete(from);
  if (to !== null) entries.set(to, inode);
}

interface FolderState {
  readonly durable: Entries;
  readonly visible: Entries;
  /** Changes since the folder's last sync, in order. */
  readonly pending: Change[];
}

interface Waiting {
  readonly world: SimWorld;
  readonly end: () => void;
}

/** Places for a fuse beyond names: calls with `name` in theirs while such an operation is recorded. */
const WORKING: Readonly<Record<string, { readonly name: string; readonly is: (op: OpRow) => boolean }>> = {
  merging: { name: '', is: op => op.kind === 'merge' },
  undoing: { name: 'sync', is: op => op.kind === 'undo' },
};

/** The two points an operation is about. Where their sizes differ the root changes its size on the way. */
export const pairOf = (op: OpRow): string[] =>
  op.kind === 'merge' ? [op.point, op.child] : isReversal(op) ? [op.root, op.child] : [];

const isFlipping = (op: OpRow): boolean => op.kind === 'flip' || (op.kind === 'merge' && op.stage === 'flip');

/** Everything that is on the machine between two crashes. */
export class SimWorld {
  readonly random: Seeded;
  readonly folders = new Map<string, FolderState>();
  store = this.#watched(new MemoryStore());
  /** The stores of other VMs on the same host, by name. */
  readonly others = new Map<string, MemoryStore>();
  /** Called before every transaction of any store. */
  beforeCommit: () => void = () => undefined;
  bootId: string;
  /** Set by the crash: what the next engine finds. */
  after: SimWorld | null = null;
  diedBy: CrashKind | null = null;
  /** Other worlds that the same power cut might have left; each counts as a crash. */
  readonly alternatives: SimWorld[] = [];
  /** How many calls, of those with `at` in their name, until the crash; null: no crash. */
  fuse: { left: number; readonly kind: CrashKind; readonly at: string } | null = null;
  /** What is really free. */
  spaceBytes = 2 ** 40;
  /** True: asking gives what is really free. False: plenty, so that checks before operations pass (T14). */
  isHonest = false;
  wasFull = false;
  /** How many of the next syncs are to fail. */
  failSyncs = 0;
  hasFailed = false;
  lastCall = '';
  /** Whether its filesystem shares ranges (T16). */
  canClone = false;
  /** Whether its filesystem needs room to overwrite, too. */
  isCopyOnWrite = false;
  /** Whether its filesystem can punch (T3). */
  canPunch = false;
  readonly #waiting: Waiting[] = [];
  readonly #timers: (() => void)[] = [];
  readonly #alternatives: number;
  #uuids = 0;
  #nowMs = 1_700_000_000_000;

  /** `alternatives`: how many more subsets of unsynced writes each power cut leaves, checked as well. */
  constructor(random: Seeded, bootId: string, alternatives = 0) {
    this.#alternatives = alternatives;
    this.random = random;
    this.bootId = bootId;
  }

  #watched(store: MemoryStore): MemoryStore {
    store.beforeCommit = () => this.#commit();
    return store;
  }

  /** The store of another VM. */
  storeOf(vm: string): MemoryStore {
    const known = this.others.get(vm) ?? this.#watched(new MemoryStore());
    this.others.set(vm, known);
    return known;
  }

  /** T5: the database is gone, the files are not. */
  loseTimeline(): void {
    this.store = this.#watched(new MemoryStore());
  }

  loseFile(folder: string, name: string): void {
    const state = this.folders.get(folder);
    for (const entries of [state?.durable, state?.visible]) entries?.delete(name);
  }

  /** Copies what the file reads as now. Each sector of the copy is durable or not, like anything written. */
  reflink(from: string, to: string): void {
    const [source, file] = [
      this.folder(dirname(from)).open(basename(from), 'read-only'),
      this.folder(dirname(to)).open(basename(to), 'create'),
    ];
    const [there, here] = [inodes.get(source), inodes.get(file)];
    if (there !== undefined) here?.copyFrom(there);
    for (const open of [source, file]) open.close();
  }

  get isDead(): boolean {
    return this.after !== null;
  }

  #commit(): void {
    this.beforeCommit();
    this.call('commit');
    if (this.isFull && this.random.below(4) === 0) throw fault('disk.full', 'committing: no space');
  }

  get isFull(): boolean {
    return this.spaceBytes < 2 ** 30;
  }

  shorten(spaceBytes: number): void {
    this.spaceBytes = spaceBytes;
    this.wasFull = true;
  }

  relieve(): void {
    this.spaceBytes = 2 ** 40;
  }

  /** Every timer runs out. */
  ring(): void {
    for (const run of this.#timers.splice(0)) if (!this.isDead) run();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Before every call that changes anything. `part`: does what a death in the middle leaves of it. */
  call(name: string, part?: (kind: CrashKind) => void): void {
    // Nobody dies between a failed sync and its mark: SPEC.md says that this is not covered.
    if (this.isDead || name.includes('→ unsynced-')) return;
    this.lastCall = name;
    if (this.fuse === null || !this.#isAt(name, this.fuse.at)) return;
    if (--this.fuse.left > 0) return;
    const { kind } = this.fuse;
    try {
      part?.(kind);
    } finally {
      this.crash(kind);
    }
  }

  #isAt(name: string, at: string): boolean {
    if (at === 'resizing') return name.includes('sync') && this.#isResizing(() => true);
    if (at === 'shrinking') return name.includes('sync') && this.#isResizing(isFlipping);
    const work = WORKING[at];
    if (work === undefined) return name.includes(at);
    return name.includes(work.name) && this.store.rows('op').some(work.is);
  }

  #isResizing(isMeant: (op: OpRow) => boolean): boolean {
    const points = this.store.rows('point');
    const sizeOf = (id: string): number | undefined => points.find(row => row.id === id)?.virtualBytes;
    return this.store.rows('op').some(op => isMeant(op) && new Set(pairOf(op).map(sizeOf)).size > 1);
  }

  crash(kind: CrashKind): void {
    this.after = this.#survivor(kind);
    this.diedBy = kind;
    // Made now, since the dead engine goes on writing into this world.
    if (kind === 'power')
      for (let count = 0; count < this.#alternatives; count++) this.alternatives.push(this.#survivor(kind));
  }

  #survivor(kind: CrashKind): SimWorld {
    const next = new SimWorld(
      this.random,
      kind === 'power' ? `boot-${this.random.next()}` : this.bootId,
      this.#alternatives,
    );
    next.store = next.#watched(this.store.copy());
    for (const [vm, store] of this.others) next.others.set(vm, next.#watched(store.copy()));
    next.spaceBytes = this.spaceBytes;
    next.isHonest = this.isHonest;
    next.wasFull = this.isFull;
    next.canClone = this.canClone;
    next.canPunch = this.canPunch;
    next.isCopyOnWrite = this.isCopyOnWrite;
    next.#uuids = this.#uuids;
    next.#nowMs = this.#nowMs + 1000;
    const keep = this.random.pick([0, 15, 50, 85, 100]);
    for (const [name, folder] of this.folders) {
      next.folders.set(name, kind === 'power' ? this.#cut(folder, keep) : survive(folder, this.random));
    }
    return next;
  }

  #cut(folder: FolderState, keep: number): FolderState {
    const entries = new Map(folder.durable);
    const order = this.random.pick(['prefix', 'any', 'last'] as const);
    const [count, length] = [folder.pending.length, this.random.below(folder.pending.length + 1)];
    folder.pending.forEach((change, index) => {
      const isKept =
        order === 'prefix'
          ? index < length
          : order === 'last'
            ? index === count - 1
            : this.random.below(2) === 0;
      if (isKept) applyChange(entries, change);
    });
    const copies = new Map<Inode, Inode>();
    for (const inode of entries.values()) {
      // Each file has its own luck, so that any file may be far ahead of the others.
      const own = this.random.below(3) === 0 ? this.random.pick([0, 50, 100]) : keep;
      if (!copies.has(inode)) copies.set(inode, inode.afterPowerCut(this.random, own));
    }
    const after = new Map([...entries].map(([name, inode]) => [name, copies.get(inode) ?? inode]));
    return { durable: after, visible: new Map(after), pending: [] };
  }

  /** A call that takes time: `effect` happens when the driver lets the call end. */
  later<T>(name: string, effect: () => T): Promise<T> {
    this.call(name);
    if (this.isDead) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.call(`${name} ends`);
        if (this.isDead) return;
        try {
          resolve(effect());
        } catch (cause) {
          reject(cause);
        }
      };
      this.#waiting.push({ world: this, end });
    });
  }

  /** Lets one of the waiting calls end. */
  advance(): void {
    const [chosen] = this.#waiting.splice(this.random.below(this.#waiting.length), 1);
    chosen?.end();
  }

  clock(): Clock {
    return {
      wallMs: () => this.#nowMs++,
      monotonicMs: () => this.#nowMs++,
      after: (_delayMs, run) => {
        this.#timers.push(run);
        return { cancel: () => undefined };
      },
      every: () => ({ cancel: () => undefined }),
    };
  }

  randomPort(): Random {
    return {
      uuid: () => `00000000-0000-4000-8000-${(++this.#uuids).toString(16).padStart(12, '0')}`,
      bytes: length => new Uint8Array(length),
    };
  }

  folder(name: string): Folder {
    let state = this.folders.get(name);
    if (state === undefined) {
      state = { durable: new Map(), visible: new Map(), pending: [] };
      this.folders.set(name, state);
    }
    return new SimFolder(this, name, state);
  }
}

/** The page cache lives on, with unsynced data in it that a later power cut may still take. */
function survive(folder: FolderState, random: Seeded): FolderState {
  const copies = new Map<Inode, Inode>();
  const isShort = random.below(2) === 0;
  const copyOf = (inode: Inode): Inode => {
    const copy = copies.get(inode) ?? inode.afterProcessDeath();
    if (isShort && !copies.has(inode)) copy.forget(() => random.below(2) === 0);
    copies.set(inode, copy);
    return copy;
  };
  const each = (entries: Entries): Entries =>
    new Map([...entries].map(([name, inode]) => [name, copyOf(inode)]));
  const pending = folder.pending.map(change => ({ ...change, inode: copyOf(change.inode) }));
  return { durable: each(folder.durable), visible: each(folder.visible), pending };
}

class SimFolder implements Folder {
  readonly path: string;
  readonly #world: SimWorld;
  readonly #state: FolderState;

  constructor(world: SimWorld, path: string, state: FolderState) {
    this.#world = world;
    this.path = path;
    this.#state = state;
  }

  #change(change: Change): void {
    this.#world.call(`${change.from ?? 'create'} → ${change.to ?? 'unlinked'}`);
    applyChange(this.#state.visible, change);
    this.#state.pending.push(change);
  }

  open(name: string, how: 'existing' | 'create' | 'read-only'): BlockFile {
    const { visible } = this.#state;
    if (how === 'create') {
      if (visible.has(name)) throw fault('disk.io', `creating ${name}: it exists`);
      const created = new Inode();
      this.#change({ inode: created, from: null, to: name });
    }
    const inode = visible.get(name);
    if (inode === undefined) throw fault('disk.io', `opening ${name}: it is not there`);
    return simFile(this.#world, name, inode);
  }

  list(): string[] {
    return [...this.#state.visible.keys()].sort();
  }

  exists(name: string): boolean {
    return this.#state.visible.has(name);
  }

  rename(from: string, to: string): void {
    const moved = this.#state.visible.get(from);
    if (moved === undefined) throw fault('disk.io', `renaming ${from}: it is not there`);
    this.#change({ inode: moved, from, to });
  }

  unlink(name: string): Promise<void> {
    return this.#world.later(`unlink ${name}`, () => {
      const gone = this.#state.visible.get(name);
      if (gone !== undefined) this.#change({ inode: gone, from: name, to: null });
    });
  }

  sync(): Promise<void> {
    const { pending, durable } = this.#state;
    const count = pending.length;
    return this.#world.later('sync folder', () => {
      for (const change of pending.splice(0, Math.min(count, pending.length))) applyChange(durable, change);
    });
  }

  freeBytes(): number {
    const { spaceBytes, isHonest } = this.#world;
    return isHonest ? spaceBytes : Math.max(2 ** 40, spaceBytes);
  }
}

/** A process that is killed in a write leaves whole pages of it; of less than a page, all or nothing. */
const PAGE = 4096;

/** How much of a write may have happened: nothing, or all up to a multiple of `unit` in the file. */
function cutsOf(offset: number, length: number, unit: number): number[] {
  const lengths = [0];
  for (let end = unit - (offset % unit); end < length; end += unit) lengths.push(end);
  return lengths;
}

function simFile(world: SimWorld, name: string, inode: Inode): BlockFile {
  let isClosed = false;
  /**
   * An Error, not a fault: by then the number may be another file's, so using it is a mistake of the engine.
   */
  const used = (doing: string): void => {
    if (isClosed) throw new Error(`${doing} ${name} after it was closed`);
  };
  const put = (source: Uint8Array, offset: number): void => {
    for (let done = 0; done < source.length; ) {
      const index = Math.floor((offset + done) / SECTOR);
      const at = (offset + done) % SECTOR;
      const length = Math.min(SECTOR - at, source.length - done);
      const isNew = !inode.isMapped(index);
      if (world.spaceBytes < SECTOR && (isNew || world.isCopyOnWrite))
        throw fault('disk.full', `writing ${name}: no space`);
      if (isNew) world.spaceBytes -= SECTOR;
      // From Buffer's pool: memory of its own for each sector would cost more than all that is done with it.
      const bytes = Buffer.allocUnsafe(SECTOR);
      if (length < SECTOR) bytes.set(inode.sector(index));
      bytes.set(source.subarray(done, done + length), at);
      inode.put(index, bytes);
      done += length;
      inode.size = Math.max(inode.size, offset + done);
    }
  };
  const write = (source: Uint8Array, offset: number): void => {
    used('writing');
    world.call(`write ${name}`, kind => {
      const lengths = cutsOf(offset, source.length, kind === 'power' ? SECTOR : PAGE);
      if (lengths.length > 1) put(source.subarray(0, world.random.pick(lengths)), offset);
    });
    put(source, offset);
  };
  const file: BlockFile = {
    name,
    write,
    read: (target, offset) => {
      used('reading');
      for (let done = 0; done < target.length; ) {
        const at = (offset + done) % SECTOR;
        const length = Math.min(SECTOR - at, target.length - done);
        const sector = inode.sector(Math.floor((offset + done) / SECTOR));
        target.set(length === SECTOR ? sector : sector.subarray(at, at + length), done);
        done += length;
      }
      if (offset + target.length > inode.size) target.fill(0, Math.max(0, inode.size - offset));
    },
    readLater: async (target, offset) => file.read(target, offset),
    sync: () => {
      used('syncing');
      const done = inode.mark();
      return world.later(`sync ${name}`, () => {
        if (world.failSyncs > 0) {
          world.failSyncs--;
          world.hasFailed = true;
          failSyncOf(file, world.random);
          throw fault('disk.io', `syncing ${name}`);
        }
        done();
      });
    },
    sizeBytes: () => {
      used('sizing');
      return inode.size;
    },
    allocatedBytes: () => {
      used('sizing');
      return inode.mappedBytes();
    },
    truncate: size => {
      used('truncating');
      world.call(`truncate ${name}`);
      inode.truncate(size);
    },
    dropCache: () =>
      world.later(`forget ${name}`, () => {
        inode.forget(() => true);
        return true;
      }),
    // Not durable before its sync either: a power cut may undo it, sector by sector.
    punch: (offset, length) => {
      if (!world.canPunch) return Promise.resolve(false);
      return world.later(`punch ${name}`, () => {
        for (let index = offset / SECTOR; index < (offset + length) / SECTOR; index++)
          if (inode.isMapped(index)) inode.put(index, new Uint8Array(SECTOR));
        return true;
      });
    },
    // Readers see it at once; each sector is durable or not on its own, like anything written.
    cloneFrom: (source, sourceOffset, offset, length) => {
      const from = inodes.get(source);
      if (!world.canClone || from === undefined) return Promise.resolve(false);
      world.call(`clone ${name}`);
      const isRefused = world.random.below(8) === 0;
      for (let done = 0; done < length; done += SECTOR) {
        const bytes = isRefused
          ? new Uint8Array(SECTOR).fill(0xee)
          : from.sector((sourceOffset + done) / SECTOR);
        inode.put((offset + done) / SECTOR, bytes);
      }
      inode.size = Math.max(inode.size, offset + length);
      return Promise.resolve(!isRefused);
    },
    close: () => {
      isClosed = true;
    },
  };
  inodes.set(file, inode);
  return file;
}

const inodes = new WeakMap<BlockFile, Inode>();

/** A file that wraps another can be cloned from like the one it wraps. */
export function wrapped(outer: BlockFile, inner: BlockFile): BlockFile {
  const inode = inodes.get(inner);
  if (inode !== undefined) inodes.set(outer, inode);
  return outer;
}

/** Does to a file what a host does when its sync fails. */
export const failSyncOf = (file: BlockFile, random: Seeded): void => inodes.get(file)?.failSync(random);

const fault = (code: 'disk.io' | 'disk.full', what: string): Fault =>
  new Fault({ code, what, safe: 'Simulated.', todo: 'Nothing.' });
