// A VM's serial line over the contract: output arrives on topic `serial`; typed bytes leave by
// `console.send`, in order, and wait for a guest that does not read, up to a bound. One owner: its page.
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import { errorBodyOf } from '../api/commands.ts';
import type { EbbClient } from '../api/connection.ts';

const WAITING_BYTES_MAX = 2 ** 20;
const PIECE_BYTES = 16 * 1024;

export interface SerialEars {
  readonly heard: (bytes: Uint8Array) => void;
  /** The line was lost; null: the console ended without an error. */
  readonly lost: (error: ErrorBody | null) => void;
  /** True: the guest does not read; typed bytes beyond a bound are dropped. False: it reads again. */
  readonly unheard: (isUnheard: boolean) => void;
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), sign => sign.charCodeAt(0));
const base64Of = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, one => String.fromCharCode(one)).join(''));

export class SerialChannel {
  readonly #client: EbbClient;
  readonly #vmId: VmId;
  readonly #ears: SerialEars;
  readonly #unsubscribe: () => void;
  #sending: Promise<unknown> = Promise.resolve();
  #waitingBytes = 0;
  #isOpen = true;

  constructor(client: EbbClient, vmId: VmId, ears: SerialEars) {
    this.#client = client;
    this.#vmId = vmId;
    this.#ears = ears;
    this.#unsubscribe = client.subscribe(
      'serial',
      vmId,
      ({ base64, end }) => {
        if (base64 !== '') ears.heard(bytesOf(base64));
        if (end) this.#lost(null);
      },
      error => this.#lost(error),
    );
  }

  /** The constructor has subscribed already, so the kept output that opening sends is heard. */
  async open(): Promise<void> {
    try {
      await this.#client.call('console.open', { vmId: this.#vmId, of: 'serial' });
    } catch (fault) {
      this.#lost(errorBodyOf(fault));
    }
  }

  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (!this.#isOpen) return;
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) return this.#ears.unheard(true);
    this.#waitingBytes += bytes.length;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      this.#sending = this.#sending.then(() => this.#send(piece));
    }
  }

  async #send(piece: Uint8Array): Promise<void> {
    const sent = { vmId: this.#vmId, of: 'serial', base64: base64Of(piece) } as const;
    while (this.#isOpen && !(await this.#isTaken(sent))) this.#ears.unheard(true);
    this.#waitingBytes -= piece.length;
  }

  /** False: the service waited for the guest to read, and the guest did not. */
  async #isTaken(sent: { vmId: VmId; of: 'serial'; base64: string }): Promise<boolean> {
    try {
      await this.#client.call('console.send', sent);
      this.#ears.unheard(false);
    } catch (fault) {
      const body = errorBodyOf(fault);
      if (body.code === 'limit.reached') return false;
      this.#lost(body);
    }
    return true;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unsubscribe();
    this.#client.call('console.close', { vmId: this.#vmId, of: 'serial' }).catch(() => undefined);
  }

  #lost(error: ErrorBody | null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unsubscribe();
    this.#ears.lost(error);
  }
}
