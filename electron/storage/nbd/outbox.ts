// Replies gathered into one buffer per turn and handed to the connection whole. A buffer is used again only when
// the connection says that it is done with it. Source: nbd.md, the `js-loop` design.
import {
  CHUNK_HEADER_BYTES,
  NBD_SIMPLE_REPLY_MAGIC,
  NBD_STRUCTURED_REPLY_MAGIC,
  SIMPLE_REPLY_BYTES,
} from './wire.ts';

/** Sweep of 1 … 256 KiB was within the noise (nbd.md); 256 KiB holds 60 replies of 4 KiB. */
const BUFFER_BYTES = 256 * 1024;
/** A larger one is not kept. */
const KEPT_BYTES_MAX = 2 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export interface ReplyCookie {
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

export class Outbox {
  readonly #send: (bytes: Uint8Array) => boolean;
  #bytes: Buffer = EMPTY;
  #used = 0;

  /** `send` answers whether the bytes have left and the buffer may be used again. */
  constructor(send: (bytes: Uint8Array) => boolean) {
    this.#send = send;
  }

  simple(to: ReplyCookie, error: number): void {
    this.#header(this.#take(SIMPLE_REPLY_BYTES), to, error);
  }

  /** A structured chunk's header; the caller fills the returned payload before anything else is added. */
  chunk(to: ReplyCookie, type: number, flags: number, payloadBytes: number): Buffer {
    const at = this.#take(CHUNK_HEADER_BYTES + payloadBytes);
    this.#bytes.writeUInt32BE(NBD_STRUCTURED_REPLY_MAGIC, at);
    this.#bytes.writeUInt16BE(flags, at + 4);
    this.#bytes.writeUInt16BE(type, at + 6);
    this.#bytes.writeUInt32BE(to.cookieHigh, at + 8);
    this.#bytes.writeUInt32BE(to.cookieLow, at + 12);
    this.#bytes.writeUInt32BE(payloadBytes, at + 16);
    return this.#bytes.subarray(at + CHUNK_HEADER_BYTES, at + CHUNK_HEADER_BYTES + payloadBytes);
  }

  /** A simple reply with room for data after it, which the caller fills before anything else is added. */
  simpleWithData(to: ReplyCookie, dataBytes: number): Buffer {
    const at = this.#take(SIMPLE_REPLY_BYTES + dataBytes);
    this.#header(at, to, 0);
    return this.#bytes.subarray(at + SIMPLE_REPLY_BYTES, at + SIMPLE_REPLY_BYTES + dataBytes);
  }

  /** Takes back the reply added last, of `bytes` in all: its data could not be read. */
  drop(bytes: number): void {
    this.#used -= bytes;
  }

  flush(): void {
    if (this.#used === 0) return;
    const isReusable = this.#send(this.#bytes.subarray(0, this.#used));
    if (!isReusable || this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = EMPTY;
    this.#used = 0;
  }

  #header(at: number, to: ReplyCookie, error: number): void {
    this.#bytes.writeUInt32BE(NBD_SIMPLE_REPLY_MAGIC, at);
    this.#bytes.writeUInt32BE(error, at + 4);
    this.#bytes.writeUInt32BE(to.cookieHigh, at + 8);
    this.#bytes.writeUInt32BE(to.cookieLow, at + 12);
  }

  #take(count: number): number {
    if (this.#used + count > this.#bytes.length) {
      this.flush();
      if (count > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(Math.max(count, BUFFER_BYTES));
    }
    const at = this.#used;
    this.#used += count;
    return at;
  }
}
