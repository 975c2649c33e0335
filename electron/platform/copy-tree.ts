// Folders of strangers: what is in one, looked at without following any link; and copies of its files that
// take no more room than the files do.
import { constants, lstatSync, readdirSync } from 'node:fs';
import { copyFile, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileFault, guarded } from './block-file.ts';
import { makePrivateFolder, syncFolder } from './json-file.ts';

export interface TreeFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  /** On its disk: holes take none. */
  readonly heldBytes: number;
}

/** All files; `odd`: the first thing that is neither a plain file nor a folder, or is one too many. */
export function treeOf(
  root: string,
  filesMax: number,
): { readonly files: readonly TreeFile[]; readonly odd: string | null } {
  const files: TreeFile[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const at = folder;
    for (const name of guarded('listing', `${root}/${at}`, () => readdirSync(`${root}/${at}`)).sort()) {
      const path = at === '' ? name : `${at}/${name}`;
      const stat = guarded('looking at', path, () => lstatSync(`${root}/${path}`));
      const isFolder = stat.isDirectory();
      if ((!isFolder && !stat.isFile()) || files.length + folders.length >= filesMax)
        return { files, odd: path };
      if (isFolder) folders.push(path);
      else files.push({ path, heldBytes: stat.blocks * 512 });
    }
  }
  return { files, odd: null };
}

export const areOnOneDisk = (one: string, other: string): boolean =>
  guarded('looking at', one, () => lstatSync(one).dev === lstatSync(other).dev);

const PIECE_BYTES = 2 * 2 ** 20;
const HOLE_BYTES = 64 * 1024;
const HOLE = Buffer.alloc(HOLE_BYTES);

/** T16: by reflink where the file system can; else without its zeros. Durable; throws Fault and leaves nothing. */
export async function copySparse(from: string, to: string, copied: (bytes: number) => void): Promise<void> {
  makePrivateFolder(dirname(to));
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL).catch(async () => {
      await rm(to, { force: true });
      await copyPieces(from, to, copied);
    });
    const file = await open(to, 'r+');
    await file.chmod(0o600);
    await file.sync();
    await file.close();
    syncFolder(dirname(to));
  } catch (cause) {
    await rm(to, { force: true });
    // What `copied` throws, such as the end of a task, is not the disk's.
    if (typeof (cause as NodeJS.ErrnoException).code !== 'string') throw cause;
    throw fileFault('copying', to, cause);
  }
}

async function copyPieces(from: string, to: string, copied: (bytes: number) => void): Promise<void> {
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using target = await open(to, 'wx', 0o600);
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await source.read(piece, 0, PIECE_BYTES, at);
    if (bytesRead === 0) return target.truncate(at);
    for (let from = 0; from < bytesRead; from += HOLE_BYTES) {
      const part = piece.subarray(from, Math.min(from + HOLE_BYTES, bytesRead));
      if (!part.equals(HOLE.subarray(0, part.length))) await target.write(part, 0, part.length, at + from);
    }
    at += bytesRead;
    copied(bytesRead);
  }
}
