// A file that is sent whole: opened once, and read only while it is still the file that was seen.
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;

export interface SeenFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}
export interface WholeFile {
  /** Throws, before the last chunk, when the file was changed meanwhile. */
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
}

/** `path` is free of links. Null: the file is gone, behind a link now, not plain, or not the one seen. */
export async function openWhole({ path, bytes, modifiedMs }: SeenFile): Promise<WholeFile | null> {
  // A link or a pipe may have taken its place.
  const how = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, how).catch(() => null);
  if (handle === null) return null;
  const close = (): void => void handle.close().catch(() => undefined);
  const stat = await handle.stat().catch(() => null);
  const isIt = (now: Stats): boolean => now.isFile() && now.size === bytes && now.mtimeMs === modifiedMs;
  if (stat !== null && isIt(stat) && (await isAt(path, stat)))
    return { chunks: chunksOf(handle, stat), close };
  close();
  return null;
}

/** O_NOFOLLOW is about the last name only: a folder before it may have become a link. */
async function isAt(path: string, { dev, ino }: Stats): Promise<boolean> {
  if ((await realpath(path).catch(() => null)) !== path) return false;
  const there = await lstat(path).catch(() => null);
  return there?.dev === dev && there.ino === ino;
}

async function* chunksOf(handle: FileHandle, seen: Stats): AsyncGenerator<Uint8Array> {
  const bytes = seen.size;
  for (let at = 0; at < bytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw new Error('the file became shorter');
    at += bytesRead;
    // Without its last chunk nobody takes the file for whole.
    if (at === bytes && !isSame(await handle.stat(), seen)) throw new Error('the file was changed');
    yield chunk.subarray(0, bytesRead);
  }
}

const isSame = (now: Stats, seen: Stats): boolean =>
  now.size === seen.size && now.mtimeMs === seen.mtimeMs && now.ctimeMs === seen.ctimeMs;
