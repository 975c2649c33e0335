// A folder on a file system that shares blocks between files: the temporary folder where it can, else an XFS in a file,
// which only root can mount. Where neither is to be had the reason is said aloud.
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reflink } from '../../electron/platform/reflink.ts';

const IMAGE_BYTES = 600 * 2 ** 20;

export interface ReflinkFolder extends Disposable {
  readonly path: string;
}

export function canReflink(folder: string): boolean {
  const [from, to] = [join(folder, '.from'), join(folder, '.to')];
  writeFileSync(from, 'x'.repeat(8192));
  try {
    reflink(from, to);
    return true;
  } catch {
    return false;
  } finally {
    for (const path of [from, to]) rmSync(path, { force: true });
  }
}

/** As a sentence why not, where there is none. */
export function reflinkFolder(): ReflinkFolder | string {
  const base = mkdtempSync(join(tmpdir(), 'ebb-rl-'));
  const remove = (): void => rmSync(base, { recursive: true, force: true });
  if (canReflink(base)) return { path: base, [Symbol.dispose]: remove };
  const [image, path] = [join(base, 'xfs.img'), join(base, 'xfs')];
  const file = openSync(image, 'w');
  ftruncateSync(file, IMAGE_BYTES);
  closeSync(file);
  mkdirSync(path);
  for (const [command, ...args] of [
    ['mkfs.xfs', '-q', '-m', 'reflink=1', image],
    ['mount', '-o', 'loop', image, path],
  ] as const) {
    const ran = spawnSync(command, args, { encoding: 'utf8' });
    if (ran.status === 0) continue;
    remove();
    // bootstrap brings the tool; mounting is the host's to allow.
    if (ran.error !== undefined) throw ran.error;
    return `no file system here shares blocks, and ${command} failed: ${ran.stderr.trim()}`;
  }
  const unmount = (): void => {
    // Lazily: a test that failed may have left files open.
    spawnSync('umount', ['--lazy', path]);
    remove();
  };
  return { path, [Symbol.dispose]: unmount };
}
