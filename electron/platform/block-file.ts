// BlockFile over a real file. Synchronous reads and writes (page-cache work in the VM's worker), asynchronous
// fdatasync in libuv's pool. errno becomes a Fault here and nowhere else.
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { ErrorBody } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import type { BlockFile } from './ports.ts';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

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

function guarded<T>(doing: string, name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw fileFault(doing, name, cause);
  }
}

export function openBlockFile(
  path: string,
  name: string,
  how: 'existing' | 'create' | 'read-only',
): BlockFile {
  const flags = {
    existing: constants.O_RDWR,
    create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
    'read-only': constants.O_RDONLY,
  }[how];
  const fd = guarded('opening', name, () => openSync(path, flags, 0o600));
  return {
    name,
    read: (target, offsetBytes) =>
      guarded('reading', name, () => {
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
    write: (source, offsetBytes) =>
      guarded('writing', name, () => {
        let done = 0;
        while (done < source.length)
          done += writeSync(fd, source, done, source.length - done, offsetBytes + done);
      }),
    sync: () =>
      new Promise((resolve, reject) => {
        fdatasync(fd, cause => (cause === null ? resolve() : reject(fileFault('syncing', name, cause))));
      }),
    sizeBytes: () => guarded('sizing', name, () => fstatSync(fd).size),
    allocatedBytes: () => guarded('sizing', name, () => fstatSync(fd).blocks * 512),
    truncate: sizeBytes => guarded('truncating', name, () => ftruncateSync(fd, sizeBytes)),
    // Node has no fallocate; the drained file goes as a whole when the reversal ends.
    punch: () => Promise.resolve(false),
    close: () => guarded('closing', name, () => closeSync(fd)),
  };
}
