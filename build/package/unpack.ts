// Unpacks a deb or an AppImage for any processor with the system's tools; runs nothing from the package.
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../layers.ts';
import { isOutside, type LinuxPackage, programFolder } from './judge-linux.ts';

function tool(name: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error !== undefined) throw new Error(`${name} is needed to look into it: ${error.message}`);
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.slice(0, 500)}`);
  return stdout;
}

/** Where the archive of an AppImage begins: at a whole superblock of squashfs 4.0, not at any magic word. */
export function squashfsAt(image: Buffer): number {
  for (let at = image.indexOf('hsqs'); at >= 0; at = image.indexOf('hsqs', at + 1))
    if (at + 32 <= image.length && image.readUInt16LE(at + 28) === 4 && image.readUInt16LE(at + 30) === 0)
      return at;
  throw new Error('it holds no squashfs archive');
}

const TEXT = /(?:\.(?:desktop|xml)|AppRun|bin\/ebb)$/;

function outsideFiles(root: string, kind: LinuxPackage['kind']): LinuxPackage['files'] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name))
    .map(file => ({ file, path: relative(root, file) }))
    .filter(({ path }) => isOutside(kind, path))
    .map(({ file, path }) => ({
      path,
      // A link has no permissions of its own.
      mode: lstatSync(file).isSymbolicLink() ? 0o755 : lstatSync(file).mode & 0o7777,
      text: TEXT.test(path) ? readFileSync(file, 'utf8') : '',
    }));
}

/** Unpacks `file`, hands the program's folder and the files around it to `judge`, then removes them. */
export function unpacked<T>(file: string, judge: (folder: string, around: LinuxPackage) => T): T {
  const kind = file.endsWith('.deb') ? 'deb' : 'AppImage';
  const place = mkdtempSync(join(repositoryRoot, 'dist', '.unpacked-'));
  const root = join(place, 'root');
  try {
    if (kind === 'deb') tool('dpkg-deb', ['-x', file, root]);
    else tool('unsquashfs', ['-q', '-n', '-o', String(squashfsAt(readFileSync(file))), '-d', root, file]);
    const control = kind === 'deb' ? tool('dpkg-deb', ['-f', file]) : '';
    return judge(join(root, programFolder(kind)), { kind, files: outsideFiles(root, kind), control });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
