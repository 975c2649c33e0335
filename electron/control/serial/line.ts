// One VM's serial line: the only client of QEMU's socket, for any number of viewers. Recent output is kept
// for viewers that come later. Bounded: what is kept, what waits, how fast it is read, what is typed.
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock } from '../../platform/ports.ts';
import { until } from '../vm/wait.ts';
import { Tame } from './tame.ts';

const KEPT_CHARS = 64 * 1024;
/** Output is collected so long before it is passed on; more bytes than this meanwhile wait in QEMU. */
const TOGETHER_MS = 20;
const TOGETHER_BYTES_MAX = 64 * 1024;
/** Typed bytes that a guest may leave unread. More bytes wait this long for room, from this many calls. */
const UNHEARD_BYTES_MAX = 64 * 1024;
const UNHEARD = { timeoutMs: 5_000, stepMs: 20 };
const TYPING_MAX = 32;

/** Base64 of UTF-8; the end comes once, last. */
export type Emit = (payload: { readonly base64: string; readonly end: boolean }) => void;

export class SerialLine {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #viewers = new Map<number, Emit>();
  readonly #tame = new Tame();
  readonly #decoder = new TextDecoder();
  #kept = '';
  #together = '';
  #bytes = 0;
  #isWaiting = false;
  #typing = 0;
  /** Settles once all that was typed before is written: letters must not overtake each other. */
  #typed: Promise<unknown> = Promise.resolve();

  constructor(stream: ByteStream, clock: Clock, gone: () => void) {
    this.#stream = stream;
    this.#clock = clock;
    stream.onData(chunk => this.#read(chunk));
    stream.onClose(() => {
      this.#tell();
      for (const emit of this.#viewers.values()) emit({ base64: '', end: true });
      this.#viewers.clear();
      gone();
    });
  }

  #read(chunk: Buffer): void {
    this.#together += this.#tame.feed(this.#decoder.decode(chunk, { stream: true }));
    this.#bytes += chunk.length;
    if (this.#bytes >= TOGETHER_BYTES_MAX) this.#stream.pause();
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#clock.after(TOGETHER_MS, () => {
      this.#isWaiting = false;
      this.#tell();
      this.#stream.resume();
    });
  }

  #tell(): void {
    this.#bytes = 0;
    const text = this.#together;
    if (text === '') return;
    this.#together = '';
    this.#keep(text);
    const base64 = Buffer.from(text).toString('base64');
    for (const emit of this.#viewers.values()) emit({ base64, end: false });
  }

  /** Keeps whole lines: an escape sequence cut in two would be read as letters. */
  #keep(text: string): void {
    this.#kept += text;
    if (this.#kept.length <= KEPT_CHARS) return;
    const cut = this.#kept.slice(-KEPT_CHARS / 2);
    const line = cut.indexOf('\n');
    this.#kept = line < 0 ? '' : cut.slice(line + 1);
  }

  /** The viewer hears what was kept, then what comes. */
  join(viewer: number, emit: Emit): void {
    this.#tell();
    this.#viewers.set(viewer, emit);
    if (this.#kept !== '') emit({ base64: Buffer.from(this.#kept).toString('base64'), end: false });
  }

  leave(viewer: number): void {
    this.#viewers.delete(viewer);
  }

  /** The viewer may not look any more. */
  end(viewer: number): void {
    this.#viewers.get(viewer)?.({ base64: '', end: true });
    this.leave(viewer);
  }

  has(viewer: number): boolean {
    return this.#viewers.has(viewer);
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** False: too much that was typed before is still unread, and `bytes` were not added. */
  async type(bytes: Uint8Array): Promise<boolean> {
    if (this.#typing >= TYPING_MAX) return false;
    this.#typing++;
    const typed = this.#typed.then(() => this.#typeNow(bytes));
    this.#typed = typed;
    try {
      return await typed;
    } finally {
      this.#typing--;
    }
  }

  async #typeNow(bytes: Uint8Array): Promise<boolean> {
    const hasRoom = (): true | null => {
      const unheard = this.#stream.unsentBytes();
      return unheard === 0 || unheard + bytes.length <= UNHEARD_BYTES_MAX ? true : null;
    };
    if ((await until(this.#clock, UNHEARD, hasRoom)) === null) return false;
    this.#stream.write(bytes);
    return true;
  }
}
