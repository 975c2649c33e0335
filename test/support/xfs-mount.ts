// A small XFS, with reflinks or without, on a loop device, where this machine lets us make one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Mounted {
  readonly path: string;
  remove(): void;
}

export const complaint = (command: string, args: readonly string[]): string | null => {
  const ran = spawnSync(command, args, { encoding: 'utf8' });
  if (ran.error !== undefined) return ran.error.message;
  return ran.status === 0 ? null : `${command}: ${ran.stderr.trim()}`;
};

/** A space and quotes, as a person's folder may have. */
const ODD = 'a "b" c';

/** A string says why there is none. */
export function mountXfs(sizeBytes: number, { reflinks = true, name = ODD } = {}): Mounted | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting needs root on Linux';
  const base = mkdtempSync(join(tmpdir(), 'ebb-xfs-'));
  const [image, path] = [join(base, 'image'), join(base, name)];
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  mkdirSync(path);
  const failed =
    complaint('mkfs.xfs', ['-q', '-m', `reflink=${reflinks ? 1 : 0}`, image]) ??
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
