// Moves saved memory between QEMU and a file over a unix socket (L3: `migrate unix:`, never `exec:`).
import { createReadStream, createWriteStream, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { hostFault } from './host-fault.ts';

/** How the bytes lie in the file. */
export type Packing = 'plain' | 'zstd';

/** Memory compresses well at the fastest level already; a higher one would make people wait. */
const LEVEL = 1;
const CHUNK_BYTES = 2 ** 20;

export interface Receiving {
  /** Bytes so far. */
  bytes(): number;
  /** Resolves when the sender has ended and the file is durable. */
  readonly done: Promise<void>;
  cancel(): void;
}

/** Listens at `socketPath` for one sender and writes what it sends to `filePath`. */
export async function receiveToFile(
  socketPath: string,
  filePath: string,
  packing: Packing,
): Promise<Receiving> {
  await rm(socketPath, { force: true });
  let count = 0;
  const server = createServer();
  let sender: Socket | null = null;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  const done = new Promise<void>((resolve, reject) => {
    const cancelled = (): void => reject(hostFault('receiving', filePath, { code: 'ECANCELED' }));
    server.once('close', cancelled);
    server.once('connection', socket => {
      server.off('close', cancelled);
      sender = socket;
      socket.on('data', (chunk: Buffer) => {
        count += chunk.length;
      });
      // `flush` syncs before the stream closes.
      const file = createWriteStream(filePath, { mode: 0o600, flush: true });
      const streams = packing === 'zstd' ? [socket, packer(), file] : [socket, file];
      pipeline(streams).then(resolve, cause => reject(hostFault('saving memory to', filePath, cause)));
      server.close();
    });
  });
  done.catch(() => undefined);
  const cancel = (): void => {
    server.close();
    sender?.destroy();
  };
  return { bytes: () => count, done, cancel };
}

/** Adds a checksum of the content, so that a damaged file is not taken for memory. */
const packer = () =>
  createZstdCompress({
    chunkSize: CHUNK_BYTES,
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });

/** Connects to a listening QEMU and sends it what the file holds. */
export async function sendFile(filePath: string, socketPath: string, packing: Packing): Promise<void> {
  const fd = openSync(filePath, 'r');
  // QEMU closes as soon as it has read the last byte, often before we have said that it was the last.
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  try {
    const file = createReadStream('', { fd });
    await pipeline(
      packing === 'zstd' ? [file, createZstdDecompress({ chunkSize: CHUNK_BYTES }), socket] : [file, socket],
    );
  } catch (cause) {
    throw hostFault('reading saved memory from', filePath, cause);
  } finally {
    socket.destroy();
  }
}
