// Puts an assembled guest into its place, whole or not at all. Several suites may start at once: each makes
// names of its own, the first whole guest stays, and none is removed while a VM starts from it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Written last: without it the folder is not whole. */
export const MARK = 'kernel-version';

export function putInPlace(made: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  // Copied beside the target first: the temp folder may be on another file system.
  const beside = mkdtempSync(`${target}.`);
  try {
    cpSync(made, beside, { recursive: true });
    if (existsSync(target) && !existsSync(join(target, MARK)))
      rmSync(target, { recursive: true, force: true });
    renameSync(beside, target);
  } catch (cause) {
    if (!existsSync(join(target, MARK))) throw cause;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

export function setCurrent(root: string, key: string): void {
  const link = join(root, 'current');
  if (linked(link) === key) return;
  const beside = mkdtempSync(`${link}.`);
  try {
    symlinkSync(key, join(beside, 'link'));
    renameSync(join(beside, 'link'), link);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function linked(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}
