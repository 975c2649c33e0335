// A file that is given away whole: opened once, and read only while it is the one that was seen.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;

export interface SeenFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}
export interface WholeFile {
  /** Throws where it became shorter. */
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
}

/** Null: it is gone, a link, no plain file, or another than was seen. */
export async function openWhole({ path, bytes, modifiedMs }: SeenFile): Promise<WholeFile | null> {
  // A link or a pipe may have taken its place.
  const how = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, how).catch(() => null);
  if (handle === null) return null;
  const stat = await handle.stat();
  const close = (): void => void handle.close().catch(() => undefined);
  if (stat.isFile() && stat.size === bytes && stat.mtimeMs === modifiedMs)
    return { chunks: chunksOf(handle, bytes), close };
  close();
  return null;
}

async function* chunksOf(handle: FileHandle, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw new Error('the file became shorter');
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
