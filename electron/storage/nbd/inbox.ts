// Bytes received and not yet consumed, always one contiguous view. The socket reads straight into the room behind it, and
// what a write carries goes to the disk from where it was received. Holds at most one request and one reading.
import { PAYLOAD_BYTES_MAX, REQUEST_BYTES } from './wire.ts';

/** Read at once: a unix socket holds less. */
const READ_BYTES = 256 * 1024;
/** Kept for the next request: QEMU's largest is just below 1 MiB. */
const IDLE_BYTES_MAX = 2 * 1024 * 1024;
/** Until the first request there is little to hear. */
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

  /** So many bytes are in the room that was given last. */
  filled(count: number): void {
    this.end += count;
  }

  /** Says how long the request under way will be, so that its bytes are moved once. */
  expect(bytes: number): void {
    this.#expected = Math.min(bytes, REQUEST_BYTES + PAYLOAD_BYTES_MAX);
  }

  /** Behind `end`: for at least the rest of the request under way. */
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
