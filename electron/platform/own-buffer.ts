// A server's socket that reads into memory of ours. Node offers that to sockets that connect (`onread`), not to those a
// server accepts: here one is made anew on the handle of the accepted one, which is no public field. Where there is none
// such, bytes arrive in chunks of Node's own and are copied: slower, and otherwise the same (own-buffer.test.ts).
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Where received bytes go. */
export interface ByteSink {
  /** Room for at least one; what was given before is not written to any more. */
  room(): Uint8Array;
  /** So many bytes of the room given last are there. */
  filled(bytes: number): void;
}

interface WithHandle {
  _handle?: { readonly useUserBuffer?: unknown } | null;
}

/** `accepted`: with `pauseOnConnect`, nothing read yet. Only what is answered may be used from then on. */
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

/** The fallback. */
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
