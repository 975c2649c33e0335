// What `ebb vm serial` holds between the service and whoever reads or types here: bounded both ways. A guest that prints is
// never kept waiting by a pipe nobody reads; what is typed waits for a guest that does not read.
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';

const UNREAD_BYTES_MAX = 2 ** 20;
const UNHEARD_BYTES_MAX = 2 ** 20;
const PIECE_BYTES = 16 * 1024;
/** The service has waited for the guest already. */
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

  /** Resolves when it was taken, or left out. */
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

  /** Null: more waits already than may. */
  take(bytes: Uint8Array): Promise<void> | null {
    if (this.#unheardBytes > 0 && this.#unheardBytes + bytes.length > UNHEARD_BYTES_MAX) return null;
    return this.type(bytes);
  }

  /** In order. Resolves when all of it lies with the guest. Faults but limit.reached, over which it waits. */
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
