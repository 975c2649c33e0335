// Saved memory moves between QEMU and a file over a unix socket (L3: `migrate unix:`, never `exec:`).
import { createReadStream, createWriteStream, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { fileFault } from './block-file.ts';

export interface Receiving {
  /** Bytes so far. */
  bytes(): number;
  /** Resolves when the sender has ended and the file is durable. */
  readonly done: Promise<void>;
  cancel(): void;
}

/** Listens at `socketPath` for one sender and writes what it sends to `filePath`. */
export async function receiveToFile(socketPath: string, filePath: string): Promise<Receiving> {
  await rm(socketPath, { force: true });
  let count = 0;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  const done = new Promise<void>((resolve, reject) => {
    const cancelled = (): void => reject(fileFault('receiving', filePath, { code: 'ECANCELED' }));
    server.once('close', cancelled);
    server.once('connection', socket => {
      server.off('close', cancelled);
      socket.on('data', (chunk: Buffer) => {
        count += chunk.length;
      });
      // `flush` syncs before the stream closes.
      pipeline(socket, createWriteStream(filePath, { mode: 0o600, flush: true })).then(resolve, cause =>
        reject(fileFault('saving memory to', filePath, cause)),
      );
      server.close();
    });
  });
  done.catch(() => undefined);
  return { bytes: () => count, done, cancel: () => server.close() };
}

/** Connects to a listening QEMU and sends it the file. */
export async function sendFile(filePath: string, socketPath: string): Promise<void> {
  const fd = openSync(filePath, 'r');
  // QEMU closes as soon as it has read the last byte, often before we have said that it was the last.
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  try {
    await pipeline(createReadStream('', { fd }), socket);
  } catch (cause) {
    throw fileFault('reading saved memory from', filePath, cause);
  } finally {
    socket.destroy();
  }
}
