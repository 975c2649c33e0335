// Makes an accepted socket read into memory of ours. Node offers that (`onread`) for sockets that connect,
// not for those a server accepts. So a new socket is made on the handle of the accepted one, which is no
// public field. Without that field, bytes arrive in Node's own chunks and are copied: slower, and otherwise
// the same (own-buffer.test.ts).
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Where received bytes go. */
export interface ByteSink {
  /** Returns room for at least one byte. Room returned earlier is no longer written to. */
  room(): Uint8Array;
  /** The first `bytes` bytes of the newest room have arrived. */
  filled(bytes: number): void;
}

interface WithHandle {
  _handle?: { readonly useUserBuffer?: unknown } | null;
}

/** `accepted` comes from a server with `pauseOnConnect`, unread. Use only the returned socket afterwards. */
export function readInto(accepted: Socket, sink: ByteSink): Socket {
  const inner = accepted as Socket & WithHandle;
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== 'function') return copyInto(accepted, sink);
  inner._handle = null;
  const onread = {
    buffer: () => sink.room(),
    callback: (bytes: number) => {
      sink.filled(bytes);
      return true;
    },
  };
  return new Socket({ handle, onread } as unknown as SocketConstructorOpts);
}

/** The fallback of `readInto`. */
export function copyInto(accepted: Socket, sink: ByteSink): Socket {
  accepted.on('data', (chunk: Buffer) => {
    for (let done = 0; done < chunk.length && !accepted.destroyed; ) {
      const room = sink.room();
      const piece = chunk.subarray(done, done + room.length);
      room.set(piece);
      sink.filled(piece.length);
      done += piece.length;
    }
  });
  accepted.resume();
  return accepted;
}
