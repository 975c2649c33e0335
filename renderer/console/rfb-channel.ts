// An object that noVNC takes for a WebSocket, over the contract: bytes arrive on topic `console` and leave by
// `console.send`. One owner: the console page that made it.
import type { VmId } from '../../shared/ids.ts';
import type { EbbClient } from '../api/connection.ts';

/** Below the contract's limit of a frame, with room for base64. */
const CHUNK_BYTES = 256 * 1024;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(new ArrayBuffer(text.length));
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

const asBytes = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export class RfbChannel {
  // The members noVNC asks of a channel, by its names.
  binaryType = 'arraybuffer';
  protocol = '';
  readyState: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly #client: EbbClient;
  readonly #vmId: VmId;
  readonly #unsubscribe: () => void;
  /** Keeps sends in order: each waits for the one before. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(client: EbbClient, vmId: VmId) {
    this.#client = client;
    this.#vmId = vmId;
    this.#unsubscribe = client.subscribe(
      'console',
      vmId,
      ({ base64, end }) => {
        if (base64 !== '') this.onmessage?.({ data: fromBase64(base64) });
        if (end) this.#end(true);
      },
      () => this.#end(false),
    );
  }

  /** The constructor has subscribed already, so no byte is lost between opening and listening. */
  async open(): Promise<void> {
    await this.#client.call('console.open', { vmId: this.#vmId });
    if (this.readyState !== 'connecting') return;
    this.readyState = 'open';
    this.onopen?.();
  }

  send(data: ArrayBuffer | ArrayBufferView): void {
    if (this.readyState !== 'open') return;
    const bytes = asBytes(data);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const base64 = toBase64(bytes.subarray(at, at + CHUNK_BYTES));
      this.#sending = this.#sending.then(() =>
        this.#client.call('console.send', { vmId: this.#vmId, base64 }).catch(() => this.#end(false)),
      );
    }
  }

  close(): void {
    if (this.readyState === 'closing' || this.readyState === 'closed') return;
    this.readyState = 'closing';
    this.#client.call('console.close', { vmId: this.#vmId }).catch(() => undefined);
    // A WebSocket's close event comes later, never inside close(): noVNC starts waiting for it only then.
    queueMicrotask(() => this.#end(true));
  }

  #end(wasClean: boolean): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.#unsubscribe();
    // In a later turn, as a socket would: noVNC arms its time-out only after it has called close.
    queueMicrotask(() => this.onclose?.({ code: wasClean ? 1000 : 1006, reason: '', wasClean }));
  }
}
