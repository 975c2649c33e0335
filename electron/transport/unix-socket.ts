// A Channel over a unix socket (a named pipe on Windows): newline-delimited JSON, lines of at most FRAME_BYTES_MAX.
import { connect, createServer, type Socket } from 'node:net';
import { Fault } from '../../shared/result.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { systemClock } from '../platform/clock.ts';
import { clearSocketFile, closeSocketFile } from '../platform/socket.ts';

const NEWLINE = 10;
/** How long a peer may read what was sent before a close: one that never reads must not keep the socket. */
const CLOSE_GRACE_MS = 2000;

/** A channel whose reading can be held, so that a relay is bounded by its slower side. */
export interface SocketChannel extends Channel {
  pause(): void;
  resume(): void;
}

export function socketChannel(socket: Socket): SocketChannel {
  const messages: ((text: string) => void)[] = [];
  let parts: Buffer[] = [];
  let held = 0;
  let isClosed = false;
  const take = (piece: Buffer): void => {
    held += piece.length;
    // An endless line is an attack or a bug; either way this connection is over.
    if (held > FRAME_BYTES_MAX) socket.destroy();
    else parts.push(piece);
  };
  const finish = (): void => {
    const text = Buffer.concat(parts).toString('utf8');
    parts = [];
    held = 0;
    for (const listener of messages) listener(text);
  };
  const receive = (chunk: Buffer): void => {
    let from = 0;
    for (
      let end = chunk.indexOf(NEWLINE);
      end >= 0 && !socket.destroyed;
      end = chunk.indexOf(NEWLINE, from)
    ) {
      take(chunk.subarray(from, end));
      from = end + 1;
      if (!socket.destroyed) finish();
    }
    if (from < chunk.length && !socket.destroyed) take(chunk.subarray(from));
  };
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    isClosed = true;
  });
  return {
    send: text => {
      if (socket.writable) socket.write(`${text}\n`);
    },
    bufferedBytes: () => socket.writableLength,
    onDrain: run => {
      if (socket.writableNeedDrain) socket.once('drain', run);
      else setImmediate(run);
    },
    onMessage: listener => {
      // Nothing is read, hence nothing lost, before somebody listens.
      if (messages.push(listener) === 1) socket.on('data', receive);
    },
    onClose: listener => {
      if (isClosed) setImmediate(listener);
      else socket.once('close', listener);
    },
    close: () => {
      if (socket.destroyed || socket.writableEnded) return;
      // Bytes that still arrive are read and dropped: closing with bytes unread resets the connection, and
      // the peer would lose our last frames.
      socket.off('data', receive);
      socket.resume();
      socket.end();
      const grace = systemClock.after(CLOSE_GRACE_MS, () => socket.destroy());
      socket.once('close', () => grace.cancel());
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
  };
}

export interface ChannelListener {
  close(): Promise<void>;
}

/** Listens at `path` (0600, in a folder that is 0700); a stale socket is replaced. */
export function listenUnix(path: string, accept: (channel: Channel) => void): Promise<ChannelListener> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    accept(socketChannel(socket));
  });
  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    clearSocketFile(path);
    server.listen(path, () => {
      closeSocketFile(path);
      resolve({ close });
    });
  });
}

export function connectUnix(path: string): Promise<SocketChannel> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', cause =>
      reject(
        new Fault(
          {
            code: 'rpc.unavailable',
            what: `Nothing answers at ${path}.`,
            safe: 'VMs keep running without it.',
            todo: 'Start Ebb.',
          },
          cause,
        ),
      ),
    );
    socket.once('connect', () => resolve(socketChannel(socket)));
  });
}
