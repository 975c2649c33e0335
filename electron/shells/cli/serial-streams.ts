// The buffers of `ebb vm serial` between the service and this terminal, bounded both ways. A pipe that nobody
// reads never makes a printing guest wait; typed bytes wait for a guest that does not read.
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';

const UNREAD_BYTES_MAX = 2 ** 20;
const UNHEARD_BYTES_MAX = 2 ** 20;
const PIECE_BYTES = 16 * 1024;
/** Pause before bytes are sent again: the service has already waited for the guest. */
const AGAIN_MS = 200;

export class SerialOutput {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #say: (words: string) => void;
  #unreadBytes = 0;
  #lostBytes = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void>, say: (words: string) => void) {
    this.#write = write;
    this.#say = say;
  }

  /** Resolves when the bytes were taken, or left out. */
  async put(bytes: Uint8Array): Promise<void> {
    if (this.#unreadBytes > 0 && this.#unreadBytes + bytes.length > UNREAD_BYTES_MAX) {
      this.#lostBytes += bytes.length;
      return;
    }
    if (this.#lostBytes > 0) this.#say(`Nobody read: ${this.#lostBytes} bytes were left out here.`);
    this.#lostBytes = 0;
    this.#unreadBytes += bytes.length;
    await this.#write(bytes);
    this.#unreadBytes -= bytes.length;
  }
}

export class SerialTyping {
  readonly #send: (base64: string) => Promise<unknown>;
  readonly #clock: Pick<Clock, 'after'>;
  #unheardBytes = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(send: (base64: string) => Promise<unknown>, clock: Pick<Clock, 'after'>) {
    this.#send = send;
    this.#clock = clock;
  }

  /** As `type`; null: more bytes wait already than may. */
  take(bytes: Uint8Array): Promise<void> | null {
    if (this.#unheardBytes > 0 && this.#unheardBytes + bytes.length > UNHEARD_BYTES_MAX) return null;
    return this.type(bytes);
  }

  /** Sends in order. Resolves when the guest has all. Waits on limit.reached; throws every other fault. */
  type(bytes: Uint8Array): Promise<void> {
    this.#unheardBytes += bytes.length;
    this.#sending = this.#sending.then(() => this.#pieces(Buffer.from(bytes)));
    return this.#sending;
  }

  async #pieces(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      while (!(await this.#isTaken(piece.toString('base64'))))
        await new Promise<void>(resolve => this.#clock.after(AGAIN_MS, resolve));
      this.#unheardBytes -= piece.length;
    }
  }

  async #isTaken(base64: string): Promise<boolean> {
    try {
      await this.#send(base64);
      return true;
    } catch (cause) {
      if (cause instanceof Fault && cause.body.code === 'limit.reached') return false;
      throw cause;
    }
  }
}
