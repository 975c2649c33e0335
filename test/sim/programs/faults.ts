// Wraps any Folder: its calls may fail, or be the last of their host. Notes what each unlink gave back.
import { basename } from 'node:path';
import type { BlockFile, Folder } from '../../../electron/platform/ports.ts';
import { Fault } from '../../../shared/result.ts';
import { failSyncOf, type SimWorld, wrapped } from '../storage/device.ts';
import { Calls, isLook, roleOf } from './calls.ts';

export class Faults {
  /** The kind of call that fails next, and how many of it succeed before. */
  next: { readonly what: 'write' | 'sync' | 'read'; left: number } | null = null;
  struck = 0;
  /** How many bytes each file had allocated when it was unlinked, by name. */
  readonly unlinked = new Map<string, number>();
  /** True: the judge is reading, whose reads always succeed. */
  isJudged = false;
  readonly #calls: Calls;
  /** The current names of the open files. */
  readonly #names: { name: string }[] = [];

  constructor(calls = new Calls()) {
    this.#calls = calls;
  }

  #isStruck(what: 'write' | 'sync' | 'read'): boolean {
    if (this.next?.what !== what || this.next.left-- > 0) return false;
    this.next = null;
    this.struck++;
    return true;
  }

  /** Counts a call of the host; throws where that is its fate. `part`: does the half of a short write. */
  #call(world: SimWorld, verb: string, file: string | null, part?: () => void): void {
    if (world.isDead || !this.#calls.isArmed || (this.isJudged && isLook(verb))) return;
    const fate = this.#calls.next(file === null ? verb : `${verb} ${roleOf(world, file)}`);
    if (fate === null) return;
    if (fate === 'power' || fate === 'process') return world.crash(fate);
    this.struck++;
    if (fate === 'io') throw broken(`${verb} ${file ?? ''}`);
    if (fate === 'short') part?.();
    world.wasFull = true;
    throw new Fault({ code: 'disk.full', what: `${verb}: no space`, safe: 'Simulated.', todo: 'Nothing.' });
  }

  /** To be called once for every world that an engine is opened on. */
  watchCommits(world: SimWorld): void {
    world.beforeCommit = () => this.#call(world, 'commit', null);
  }

  folder(world: SimWorld, name: string): Folder {
    const inner = world.folder(name);
    return {
      path: inner.path,
      open: (file, how) => {
        if (how === 'create') this.#call(world, 'create', file);
        return this.#file(world, inner.open(file, how));
      },
      list: () => {
        this.#call(world, 'list', null);
        return inner.list();
      },
      exists: file => {
        this.#call(world, 'exists', file);
        return inner.exists(file);
      },
      rename: (from, to) => {
        // As in device.ts: the renaming that marks a failed sync is never struck.
        if (!to.startsWith('unsynced-')) this.#call(world, 'rename', from);
        inner.rename(from, to);
        for (const own of this.#names) if (own.name === from) own.name = to;
      },
      unlink: async file => {
        this.#call(world, 'unlink', file);
        const bytes = inner.exists(file) ? inner.open(file, 'read-only').allocatedBytes() : 0;
        await inner.unlink(file);
        this.unlinked.set(file, bytes);
      },
      sync: async () => {
        await this.#sync(world, 'sync folder', name);
        await inner.sync();
      },
      freeBytes: () => inner.freeBytes(),
    };
  }

  /** As `Reflink` of share.ts. */
  reflink(world: SimWorld): (from: string, to: string) => void {
    return (from, to) => {
      this.#call(world, 'reflink', basename(from));
      world.reflink(from, to);
    };
  }

  #file(world: SimWorld, inner: BlockFile): BlockFile {
    const own = { name: inner.name };
    this.#names.push(own);
    const outer: BlockFile = {
      ...inner,
      write: (source, offset) => {
        const half = Math.floor(source.length / 1024) * 512;
        this.#call(world, 'write', own.name, () => inner.write(source.subarray(0, half), offset));
        if (this.#isStruck('write')) throw broken(`writing ${own.name}`);
        inner.write(source, offset);
      },
      read: (target, offset) => {
        this.#call(world, 'read', own.name);
        if (!this.isJudged && this.#isStruck('read')) throw broken(`reading ${own.name}`);
        inner.read(target, offset);
      },
      sync: async () => {
        await this.#sync(world, 'sync', own.name, inner);
        await inner.sync();
      },
      dropCache: async () => {
        try {
          this.#call(world, 'forget', own.name);
        } catch {
          return false;
        }
        return inner.dropCache();
      },
      truncate: bytes => {
        this.#call(world, 'truncate', own.name);
        inner.truncate(bytes);
      },
      punch: (offset, length) => {
        const punch = (bytes: number): Promise<boolean> => inner.punch(offset, bytes);
        return this.#range(world, 'punch', own.name, length, punch);
      },
      cloneFrom: (source, from, to, length) => {
        const clone = (bytes: number): Promise<boolean> => inner.cloneFrom(source, from, to, bytes);
        return this.#range(world, 'clone', own.name, length, clone);
      },
    };
    return wrapped(outer, inner);
  }

  /** T16: another program shares and punches. Where that fails it says no, and may have done half of it. */
  #range(
    world: SimWorld,
    verb: string,
    name: string,
    length: number,
    work: (bytes: number) => Promise<boolean>,
  ): Promise<boolean> {
    if (world.canPunch || world.canClone)
      try {
        this.#call(world, verb, name);
      } catch {
        return work(Math.floor(length / 1024) * 512).then(() => false);
      }
    return work(length);
  }

  /** T14: for whatever reason a sync fails, what it was to write may be lost. */
  async #sync(world: SimWorld, verb: string, name: string, file?: BlockFile): Promise<void> {
    let cause: unknown = null;
    try {
      this.#call(world, verb, file === undefined ? null : name);
      if (this.#isStruck('sync')) cause = broken(`syncing ${name}`);
    } catch (struck) {
      cause = struck;
    }
    if (cause !== null) await this.#failLater(world, name, cause, file);
  }

  /** Counted as struck again when the failure is told: whoever closes meanwhile learns of it only then. */
  #failLater(world: SimWorld, name: string, cause: unknown, file?: BlockFile): Promise<void> {
    return world.later(`sync ${name} fails`, () => {
      this.struck++;
      if (file !== undefined) failSyncOf(file, world.random);
      throw cause;
    });
  }
}

const broken = (what: string): Fault =>
  new Fault({ code: 'disk.io', what, safe: 'Simulated.', todo: 'Nothing.' });
