// A folder whose writes and syncs may fail with an I/O error, and that knows what an unlink gave back: over any Folder.
import type { BlockFile, Folder } from '../../../electron/platform/ports.ts';
import { Fault } from '../../../shared/result.ts';
import type { SimWorld } from '../storage/device.ts';

export class Faults {
  /** Which call fails next, after so many that do not. */
  next: { readonly what: 'write' | 'sync'; left: number } | null = null;
  struck = 0;
  /** What the files were allocated when they were unlinked, by name. */
  readonly unlinked = new Map<string, number>();

  #isStruck(what: 'write' | 'sync'): boolean {
    if (this.next?.what !== what || this.next.left-- > 0) return false;
    this.next = null;
    this.struck++;
    return true;
  }

  folder(world: SimWorld, name: string): Folder {
    const inner = world.folder(name);
    return {
      path: inner.path,
      open: (file, how) => this.#file(world, inner.open(file, how)),
      list: () => inner.list(),
      exists: file => inner.exists(file),
      rename: (from, to) => inner.rename(from, to),
      unlink: async file => {
        const bytes = inner.exists(file) ? inner.open(file, 'read-only').allocatedBytes() : 0;
        await inner.unlink(file);
        this.unlinked.set(file, bytes);
      },
      sync: () => (this.#isStruck('sync') ? failing(world, name) : inner.sync()),
      freeBytes: () => inner.freeBytes(),
    };
  }

  #file(world: SimWorld, inner: BlockFile): BlockFile {
    return {
      ...inner,
      write: (source, offset) => {
        if (this.#isStruck('write')) throw broken(`writing ${inner.name}`);
        inner.write(source, offset);
      },
      sync: () => (this.#isStruck('sync') ? failing(world, inner.name) : inner.sync()),
    };
  }
}

const failing = (world: SimWorld, name: string): Promise<void> =>
  world.later(`sync ${name} fails`, () => {
    throw broken(`syncing ${name}`);
  });

const broken = (what: string): Fault =>
  new Fault({ code: 'disk.io', what, safe: 'Simulated.', todo: 'Nothing.' });
