// A small XFS with reflinks on a loop device, where this machine lets us make one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Mounted {
  readonly path: string;
  remove(): void;
}

const complaint = (command: string, args: readonly string[]): string | null => {
  const ran = spawnSync(command, args, { encoding: 'utf8' });
  if (ran.error !== undefined) return ran.error.message;
  return ran.status === 0 ? null : `${command}: ${ran.stderr.trim()}`;
};

/** A string says why there is none. The folder's name has a space and a quote in it, as a person's may. */
export function mountXfs(sizeBytes: number): Mounted | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting needs root on Linux';
  const base = mkdtempSync(join(tmpdir(), 'ebb-xfs-'));
  const [image, path] = [join(base, 'image'), join(base, `a "b" c`)];
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  mkdirSync(path);
  const failed =
    complaint('mkfs.xfs', ['-q', '-m', 'reflink=1', image]) ??
    complaint('mount', ['-o', 'loop', image, path]);
  if (failed !== null) {
    rmSync(base, { recursive: true, force: true });
    return failed;
  }
  return {
    path,
    remove: () => {
      const stuck = complaint('umount', [path]);
      if (stuck === null) rmSync(base, { recursive: true, force: true });
      else console.warn(`left behind ${base}: ${stuck}`);
    },
  };
}
