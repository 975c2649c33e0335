// Bytes received and not yet consumed, always one contiguous view. A chunk that arrives while nothing waits is
// used in place; only what spans chunks is copied. Holds at most one request beyond the last chunk.
import { PAYLOAD_BYTES_MAX, REQUEST_BYTES } from './wire.ts';

/** Kept for the next request: QEMU's largest is just below 1 MiB. */
const IDLE_BYTES_MAX = 2 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export class Inbox {
  /** The bytes; valid from `start` to `end` until the next push. */
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;
  #own: Buffer = EMPTY;
  #expected = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** The chunk is kept, not copied, while it is the only one: its owner must not reuse it. */
  push(chunk: Buffer): void {
    if (this.length === 0) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      if (this.#own.length > IDLE_BYTES_MAX) this.#own = EMPTY;
      return;
    }
    this.#ensure(chunk.length);
    chunk.copy(this.#own, this.end);
    this.end += chunk.length;
  }

  consume(count: number): void {
    this.start += count;
  }

  /** Says how long the request under way will be, so that its chunks are copied once. */
  expect(bytes: number): void {
    this.#expected = Math.min(bytes, REQUEST_BYTES + PAYLOAD_BYTES_MAX);
  }

  /** Makes `#own` the view, with room for `extra` bytes after `end`. */
  #ensure(extra: number): void {
    const length = this.length;
    const needed = length + extra;
    if (this.bytes === this.#own && this.end + extra <= this.#own.length) return;
    const waiting = this.bytes.subarray(this.start, this.end);
    if (needed > this.#own.length) {
      this.#own = Buffer.allocUnsafeSlow(Math.max(needed, this.#expected, 2 * this.#own.length, 128 * 1024));
    }
    // copy is memmove: moving to the front of the same buffer is safe.
    waiting.copy(this.#own, 0);
    this.bytes = this.#own;
    this.start = 0;
    this.end = length;
  }
}
