// A two-way stream of bytes over a unix socket, and the listener that accepts them: 0600, a stale socket replaced.
// Says when a written buffer may be used again, which node's own stream does not.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Fault, messageOf } from '../../shared/result.ts';
import { errnoOf, NO_SPACE } from './block-file.ts';
import { type ByteSink, readInto } from './own-buffer.ts';

export interface ByteStream {
  /**
   * True: the bytes have left, and their buffer may be used again. False: they wait, and the buffer may be
   * used again once `whenLeft` is called. A stream that ends before never calls it.
   */
  write(bytes: Uint8Array, whenLeft?: () => void): boolean;
  /** Bytes written that have not left yet. */
  unsentBytes(): number;
  /** The listener owns each chunk. */
  onData(listener: (chunk: Buffer) => void): void;
  onDrain(listener: () => void): void;
  /** Runs once, however the stream ended. */
  onClose(listener: () => void): void;
  pause(): void;
  resume(): void;
  /** Closes after what was written has left. */
  end(): void;
  destroy(): void;
}

export interface ByteListener {
  /** Stops accepting and removes the socket; accepted streams live on. */
  close(): Promise<void>;
}

/** A connection a server accepted: its bytes are read into the server's own memory. */
export type AcceptedStream = Omit<ByteStream, 'onData'>;

/** Opens an accepted connection: before that nothing is read, and nothing may be written. */
export type OpenAccepted = (sink: ByteSink) => AcceptedStream;

export type ListenUnix = (path: string, accept: (open: OpenAccepted) => void) => Promise<ByteListener>;

/** Runs after events already waiting have been served. */
export type NextTurn = (run: () => void) => void;
export const nextTurn: NextTurn = run => {
  setImmediate(run);
};

/** sun_path holds 108 bytes with its closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export function byteStream(socket: Socket): ByteStream {
  // A reset by the peer is an end like any other; `close` follows.
  socket.on('error', () => socket.destroy());
  return {
    write: (bytes, whenLeft) => {
      if (!socket.writable) return true;
      let hasAnswered = false;
      socket.write(bytes, cause => {
        if (hasAnswered && !cause) whenLeft?.();
      });
      hasAnswered = socket.writableLength > 0;
      return !hasAnswered;
    },
    unsentBytes: () => socket.writableLength,
    onData: listener => {
      socket.on('data', listener);
    },
    onDrain: listener => {
      socket.on('drain', listener);
    },
    onClose: listener => {
      socket.on('close', () => listener());
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
    end: () => {
      socket.end(() => socket.destroy());
    },
    destroy: () => {
      socket.destroy();
    },
  };
}

/** Faults: host.permission (also where the path is too long), disk.full, limit.reached. */
export const listenUnix: ListenUnix = async (path, accept) => {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw cannotListen(path, `it is longer than ${SOCKET_PATH_BYTES_MAX} bytes`, undefined);
  }
  const server = createServer({ pauseOnConnect: true }, socket =>
    accept(sink => byteStream(readInto(socket, sink))),
  );
  try {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, backlog: 64 }, resolve);
    });
    chmodSync(path, 0o600);
  } catch (cause) {
    server.close();
    throw errnoOf(cause) === null ? cause : cannotListen(path, messageOf(cause), cause);
  }
  return {
    close: async () => {
      // Calls back only when the last stream is gone; the listening itself ends at once.
      server.close();
      rmSync(path, { force: true });
    },
  };
};

const TOO_MANY = new Set(['EMFILE', 'ENFILE']);

function cannotListen(path: string, why: string, cause: unknown): Fault {
  const errno = errnoOf(cause) ?? '';
  const [code, todo] = NO_SPACE.has(errno)
    ? (['disk.full', 'Free some space, then do it again.'] as const)
    : TOO_MANY.has(errno)
      ? (['limit.reached', 'Too many files are open: stop some VMs, then do it again.'] as const)
      : (['host.permission', 'Check that its folder exists, belongs to you and has a short path.'] as const);
  const what = `The socket ${path} could not be opened: ${why}.`;
  return new Fault({ code, what, safe: 'No disk was touched.', todo }, cause);
}
