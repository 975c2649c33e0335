// Folder over a real directory.
import {
  closeSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileFault, filesClosed, guarded, openBlockFile } from './block-file.ts';
import type { Folder } from './ports.ts';
import { type RangeTool, rangeTool } from './range-tool.ts';

/** Opens a directory, making it (0700) where it is missing. Faults: disk.full, disk.io. */
export function openFolder(path: string, tool: RangeTool = rangeTool()): Folder {
  guarded('making', path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  return {
    path,
    open: (name, how) => openBlockFile(join(path, name), name, how, tool),
    list: () => guarded('listing', path, () => readdirSync(path)),
    exists: name =>
      guarded('looking for', name, () => statSync(join(path, name), { throwIfNoEntry: false })) !== undefined,
    rename: (from, to) => guarded('renaming', from, () => renameSync(join(path, from), join(path, to))),
    unlink: async name => {
      try {
        await unlink(join(path, name));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw fileFault('deleting', name, cause);
      }
      await filesClosed();
    },
    sync: () =>
      new Promise((resolve, reject) => {
        const fd = guarded('opening the folder', path, () => openSync(path, 'r'));
        fsync(fd, cause => {
          closeSync(fd);
          if (cause === null) resolve();
          else reject(fileFault('syncing the folder', path, cause));
        });
      }),
    freeBytes: () => {
      const stats = guarded('measuring the disk of', path, () => statfsSync(path));
      return stats.bavail * stats.bsize;
    },
  };
}
