// BlockFile over a real file. Reads and writes are synchronous (page-cache work in the VM's worker),
// fdatasync runs in libuv's pool, and another process punches and clones ranges (range-tool.ts). The errno of
// an image file becomes a Fault here; that of other files in host-fault.ts.
import {
  close,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  read,
  readSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { ErrorBody } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import type { BlockFile } from './ports.ts';
import { runTool } from './process.ts';
import { type RangeTool, rangeTool } from './range-tool.ts';

const dataSync = promisify(fdatasync);
const DROP_CACHE_MS_MAX = 60_000;
export const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Node's own codes tell of a wrong argument or call: a mistake of ours. These tell of files and their streams. */
const NODE_TELLS = /^ERR_(FS_|STREAM_PREMATURE_CLOSE$)/;

/** The code by which the host refused; null: whatever was thrown, the host did not. */
export function errnoOf(cause: unknown): string | null {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  if (typeof code !== 'string') return null;
  return code.startsWith('ERR_') && !NODE_TELLS.test(code) ? null : code || 'unknown error';
}

export function fileFault(doing: string, name: string, cause: unknown): Fault {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  const full = NO_SPACE.has(code);
  const body: ErrorBody = {
    code: full ? 'disk.full' : 'disk.io',
    what: full
      ? `The disk is full: ${doing} ${name} failed (${code}).`
      : `${doing} ${name} failed (${code}).`,
    safe: 'What was flushed before is safe.',
    todo: full ? 'Free some space; the VM goes on by itself.' : 'Check the disk this file is on.',
  };
  return new Fault(body, cause);
}

export function guarded<T>(doing: string, name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (errnoOf(cause) === null) throw cause;
    throw fileFault(doing, name, cause);
  }
}

export function openBlockFile(
  path: string,
  name: string,
  how: 'existing' | 'create' | 'read-only',
  tool: RangeTool = rangeTool(),
): BlockFile {
  const flags = {
    existing: constants.O_RDWR,
    create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
    'read-only': constants.O_RDONLY,
  }[how];
  const fd = guarded('opening', name, () => openSync(path, flags, 0o600));
  // Closing the last descriptor of an unlinked file waits until the host has freed all its blocks: so it is
  // done in libuv's pool, never on a guest's thread.
  const held = new HeldFd(fd, () => closeLater(fd));
  const whileOpen = <T>(doing: string, work: () => T): T =>
    guarded(doing, name, () => {
      held.check();
      return work();
    });
  const file: BlockFile = {
    name,
    read: (target, offsetBytes) =>
      whileOpen('reading', () => {
        let done = 0;
        while (done < target.length) {
          const got = readSync(fd, target, done, target.length - done, offsetBytes + done);
          if (got === 0) {
            target.fill(0, done);
            return;
          }
          done += got;
        }
      }),
    readLater: (target, offsetBytes) =>
      held
        .use(() => readWhole(fd, target, offsetBytes))
        .catch((cause: unknown) => {
          throw fileFault('reading', name, cause);
        }),
    write: (source, offsetBytes) =>
      whileOpen('writing', () => {
        let done = 0;
        while (done < source.length)
          done += writeSync(fd, source, done, source.length - done, offsetBytes + done);
      }),
    sync: () =>
      held
        .use(() => dataSync(fd))
        .catch((cause: unknown) => {
          throw fileFault('syncing', name, cause);
        }),
    sizeBytes: () => whileOpen('sizing', () => fstatSync(fd).size),
    allocatedBytes: () => whileOpen('sizing', () => fstatSync(fd).blocks * 512),
    truncate: sizeBytes => whileOpen('truncating', () => ftruncateSync(fd, sizeBytes)),
    punch: (offsetBytes, lengthBytes) =>
      held.use(() => tool.punch(fd, offsetBytes, lengthBytes)).catch(() => false),
    cloneFrom: async (source, sourceOffset, offset, length) => {
      const from = heldFds.get(source);
      if (from === undefined) return false;
      const range = { sourceFd: from.fd, sourceOffset, fd, offset, length };
      return from.use(() => held.use(() => tool.clone(range))).catch(() => false);
    },
    dropCache: () => held.use(() => dropCache(fd)).catch(() => false),
    close: () => held.close(),
  };
  heldFds.set(file, held);
  return file;
}

function readWhole(fd: number, target: Uint8Array, offsetBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (done: number): void =>
      read(fd, target, done, target.length - done, offsetBytes + done, (cause, got) => {
        if (cause !== null) return reject(cause);
        if (got === 0) target.fill(0, done);
        if (got === 0 || done + got === target.length) return resolve();
        go(done + got);
      });
    go(0);
  });
}

/** posix_fadvise(POSIX_FADV_DONTNEED) over all of a file, for which node has no call: coreutils' dd makes it. */
async function dropCache(fd: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const args = [`if=/proc/${process.pid}/fd/${fd}`, 'iflag=nocache', 'count=0', 'status=none'];
  return (await runTool('dd', args, { timeoutMs: DROP_CACHE_MS_MAX })).code === 0;
}

const closing = new Set<Promise<void>>();

function closeLater(fd: number): void {
  const closed = new Promise<void>(resolve => close(fd, () => resolve()));
  closing.add(closed);
  void closed.then(() => closing.delete(closed));
}

/** Resolves when the space of the unlinked files closed so far is free (T14). */
export const filesClosed = async (): Promise<void> => void (await Promise.all(closing));

/**
 * Keeps a descriptor open while an asynchronous call uses its number, and refuses every later call: the
 * number may be another file's by then.
 */
class HeldFd {
  readonly fd: number;
  readonly #end: () => void;
  #users = 0;
  #isClosed = false;

  constructor(fd: number, end: () => void) {
    this.fd = fd;
    this.#end = end;
  }

  /** Throws EBADF once it is closed. */
  check(): void {
    if (this.#isClosed) throw Object.assign(new Error('closed'), { code: 'EBADF' });
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    this.#users++;
    try {
      return await work();
    } finally {
      if (--this.#users === 0 && this.#isClosed) this.#end();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#users === 0) this.#end();
  }
}

const heldFds = new WeakMap<BlockFile, HeldFd>();
