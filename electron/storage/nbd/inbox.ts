// Bytes received and not yet consumed, always as one contiguous view. The socket reads straight into the room
// behind them, and a write's payload goes to the disk from where it was received. Holds at most one request
// and what one read brings.
import { PAYLOAD_BYTES_MAX, REQUEST_BYTES } from './wire.ts';

/** Room for one read of the socket: a unix socket holds less. */
const READ_BYTES = 256 * 1024;
/** A buffer up to this size is kept for the next request: QEMU's largest is just below 1 MiB. */
const IDLE_BYTES_MAX = 2 * 1024 * 1024;
/** The first buffer: before the first request there is little to receive. */
const FIRST_BYTES = 16 * 1024;

export class Inbox {
  /** The bytes; valid from `start` to `end` until room is asked for. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  start = 0;
  end = 0;
  #isFirst = true;
  #expected = 0;

  get length(): number {
    return this.end - this.start;
  }

  consume(count: number): void {
    this.start += count;
  }

  /** `count` bytes have come into the room that was given last. */
  filled(count: number): void {
    this.end += count;
  }

  /** Tells how long the request under way will be, so that its bytes are moved at most once. */
  expect(bytes: number): void {
    this.#expected = Math.min(bytes, REQUEST_BYTES + PAYLOAD_BYTES_MAX);
  }

  /** The room behind `end`: at least for the rest of the request under way. */
  room(): Buffer {
    const { length } = this;
    if (this.#isFirst) {
      this.#isFirst = false;
      return this.bytes;
    }
    const needed = length + Math.max(READ_BYTES, this.#expected - length);
    const isIdle = length === 0 && this.bytes.length > IDLE_BYTES_MAX && this.#expected === 0;
    if (needed > this.bytes.length || isIdle) this.#moveTo(Buffer.allocUnsafeSlow(needed));
    else if (this.start > 0 && this.start + needed > this.bytes.length) this.#moveTo(this.bytes);
    this.#expected = 0;
    return this.bytes.subarray(this.end);
  }

  /** copy is memmove: moving to the front of the same buffer is safe. */
  #moveTo(target: Buffer): void {
    this.bytes.copy(target, 0, this.start, this.end);
    [this.bytes, this.end, this.start] = [target, this.length, 0];
  }
}
