// A Channel over any message port: a worker's, Electron's or a page's. Ports have no back-pressure of their
// own, so the reader acknowledges: a string is one frame, a number says how many characters were read. While
// a reader is stuck (a busy page) it acknowledges nothing, and the writer counts its bytes as buffered.
import type { Channel } from './channel.ts';
import { isOversize } from './frame.ts';

/** Characters acknowledged at a time: far below the limits at which a server holds back. */
const ACKNOWLEDGE_LUMP = 16 * 1024;

/** What the three kinds of port have in common. */
export interface AnyPort {
  post(message: string | number): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export function portChannel(port: AnyPort): Channel {
  return new PortChannel(port);
}

class PortChannel implements Channel {
  readonly #port: AnyPort;
  readonly #messages: ((text: string) => void)[] = [];
  readonly #closes: (() => void)[] = [];
  #drains: (() => void)[] = [];
  #isOpen = true;
  #unread = 0;
  #read = 0;

  constructor(port: AnyPort) {
    this.#port = port;
    port.onMessage(message => this.#receive(message));
    port.onClose(() => this.#end());
  }

  send(text: string): void {
    if (!this.#isOpen) return;
    this.#unread += text.length;
    this.#port.post(text);
  }

  bufferedBytes(): number {
    // Less than a lump may never be acknowledged, so it does not count.
    return this.#unread < ACKNOWLEDGE_LUMP ? 0 : this.#unread;
  }

  onDrain(run: () => void): void {
    if (this.bufferedBytes() > 0) this.#drains.push(run);
    else queueMicrotask(run);
  }

  onMessage(listener: (text: string) => void): void {
    this.#messages.push(listener);
  }

  onClose(listener: () => void): void {
    if (this.#isOpen) this.#closes.push(listener);
    else queueMicrotask(listener);
  }

  close(): void {
    this.#port.close();
    this.#end();
  }

  #receive(message: unknown): void {
    if (!this.#isOpen) return;
    if (typeof message === 'number') return this.#acknowledged(message);
    if (typeof message !== 'string' || isOversize(message)) return this.close();
    for (const listener of this.#messages) listener(message);
    this.#read += message.length;
    if (this.#read < ACKNOWLEDGE_LUMP || !this.#isOpen) return;
    this.#port.post(this.#read);
    this.#read = 0;
  }

  #acknowledged(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0) return this.close();
    this.#unread = Math.max(0, this.#unread - count);
    const runs = this.#drains;
    this.#drains = [];
    for (const run of runs) run();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const run of this.#closes) run();
  }
}
