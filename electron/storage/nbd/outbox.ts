// Replies gathered into one buffer per turn and handed to the connection whole. A buffer is used again only
// when the connection says that it is done with it. Source: nbd.md, the `js-loop` design.
import {
  CHUNK_HEADER_BYTES,
  NBD_SIMPLE_REPLY_MAGIC,
  NBD_STRUCTURED_REPLY_MAGIC,
  SIMPLE_REPLY_BYTES,
} from './wire.ts';

/** Sweep of 1 … 256 KiB was within the noise (nbd.md); 256 KiB holds 60 replies of 4 KiB. */
const BUFFER_BYTES = 256 * 1024;
/** A reply up to this size is copied, which costs less than sending it by itself. */
const COPIED_BYTES_MAX = 32 * 1024;
/** Larger buffers are not kept for reuse, and no more than so many are. */
const KEPT_BYTES_MAX = 2 * 1024 * 1024;
const SPARES_MAX = 4;
const EMPTY = Buffer.alloc(0);

export interface ReplyCookie {
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

/** True: the bytes have left, and their buffer is free. Else `whenLeft` is called when it is. */
export type Send = (bytes: Uint8Array, whenLeft?: () => void) => boolean;

export function putSimple(bytes: Buffer, at: number, to: ReplyCookie, error: number): void {
  bytes.writeUInt32BE(NBD_SIMPLE_REPLY_MAGIC, at);
  bytes.writeUInt32BE(error, at + 4);
  bytes.writeUInt32BE(to.cookieHigh, at + 8);
  bytes.writeUInt32BE(to.cookieLow, at + 12);
}

interface Chunk {
  readonly type: number;
  readonly flags: number;
  readonly payloadBytes: number;
}

export function putChunk(bytes: Buffer, at: number, to: ReplyCookie, chunk: Chunk): void {
  bytes.writeUInt32BE(NBD_STRUCTURED_REPLY_MAGIC, at);
  bytes.writeUInt16BE(chunk.flags, at + 4);
  bytes.writeUInt16BE(chunk.type, at + 6);
  bytes.writeUInt32BE(to.cookieHigh, at + 8);
  bytes.writeUInt32BE(to.cookieLow, at + 12);
  bytes.writeUInt32BE(chunk.payloadBytes, at + 16);
}

export class Outbox {
  readonly #send: Send;
  #bytes: Buffer = EMPTY;
  /** Buffers whose bytes have left. */
  readonly #spares: Buffer[] = [];
  #used = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  simple(to: ReplyCookie, error: number): void {
    const at = this.#take(SIMPLE_REPLY_BYTES);
    putSimple(this.#bytes, at, to, error);
  }

  /** A structured chunk's header; the caller fills the returned payload before anything else is added. */
  chunk(to: ReplyCookie, type: number, flags: number, payloadBytes: number): Buffer {
    const at = this.#take(CHUNK_HEADER_BYTES + payloadBytes);
    putChunk(this.#bytes, at, to, { type, flags, payloadBytes });
    return this.#bytes.subarray(at + CHUNK_HEADER_BYTES, at + CHUNK_HEADER_BYTES + payloadBytes);
  }

  /** A simple reply with room for data after it, which the caller fills before anything else is added. */
  simpleWithData(to: ReplyCookie, dataBytes: number): Buffer {
    const at = this.#take(SIMPLE_REPLY_BYTES + dataBytes);
    putSimple(this.#bytes, at, to, 0);
    return this.#bytes.subarray(at + SIMPLE_REPLY_BYTES, at + SIMPLE_REPLY_BYTES + dataBytes);
  }

  /** Adds a whole reply made elsewhere; a large one is not copied. `whenFree`: its buffer is free again. */
  add(reply: Buffer, whenFree: () => void): void {
    if (reply.length > COPIED_BYTES_MAX) {
      this.flush();
      if (this.#send(reply, whenFree)) whenFree();
      return;
    }
    const at = this.#take(reply.length);
    reply.copy(this.#bytes, at);
    whenFree();
  }

  /** Takes back the reply added last, `bytes` long in all, since its data could not be read. */
  drop(bytes: number): void {
    this.#used -= bytes;
  }

  flush(): void {
    if (this.#used === 0) return;
    const bytes = this.#bytes;
    const hasLeft = this.#send(bytes.subarray(0, this.#used), () => this.#keep(bytes));
    this.#used = 0;
    if (!hasLeft || bytes.length > KEPT_BYTES_MAX) this.#bytes = EMPTY;
  }

  /** Kept, since a fresh buffer costs more than filling it: the host zeroes every page of it. */
  #keep(bytes: Buffer): void {
    if (bytes.length <= KEPT_BYTES_MAX && this.#spares.length < SPARES_MAX) this.#spares.push(bytes);
  }

  #renew(count: number): void {
    if (this.#bytes.length > 0) this.#keep(this.#bytes);
    const fit = this.#spares.findIndex(spare => spare.length >= count);
    const [found] = fit < 0 ? [] : this.#spares.splice(fit, 1);
    this.#bytes = found ?? Buffer.allocUnsafeSlow(Math.max(count, BUFFER_BYTES));
    // No spare was large enough: the oldest makes room for larger ones.
    if (found === undefined && this.#spares.length === SPARES_MAX) this.#spares.shift();
  }

  #take(count: number): number {
    if (this.#used + count > this.#bytes.length) {
      this.flush();
      if (count > this.#bytes.length) this.#renew(count);
    }
    const at = this.#used;
    this.#used += count;
    return at;
  }
}
