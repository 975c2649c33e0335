// A VM's serial line over the contract: what it prints comes on topic `serial`, what is typed goes by `console.send`, in
// order, and no more of it than a guest may leave lying. One owner: the page that made it.
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import { errorBodyOf } from '../api/commands.ts';
import type { EbbClient } from '../api/connection.ts';

const WAITING_BYTES_MAX = 64 * 1024;
const PIECE_BYTES = 16 * 1024;

export interface SerialEars {
  readonly heard: (bytes: Uint8Array) => void;
  /** Null: it ended. */
  readonly lost: (error: ErrorBody | null) => void;
  /** What was typed last is not read, and was dropped; or it is read again. */
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

  /** Subscribed already: what was kept is heard. */
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
    try {
      const base64 = base64Of(piece);
      if (this.#isOpen) await this.#client.call('console.send', { vmId: this.#vmId, of: 'serial', base64 });
      this.#ears.unheard(false);
    } catch (fault) {
      const body = errorBodyOf(fault);
      if (body.code === 'limit.reached') this.#ears.unheard(true);
      else this.#lost(body);
    } finally {
      this.#waitingBytes -= piece.length;
    }
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
