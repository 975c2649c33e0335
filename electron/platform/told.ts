// Bounds the log lines that strangers cause: they may cause them as often as they like.
import type { Clock } from './ports.ts';

const TOLD_EVERY_MS = 60_000;

/** Logs the first line of a kind at once, and those of the next minute as a count. */
export class Told {
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #kinds = new Map<string, number>();

  constructor(clock: Clock, log: (line: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  say(kind: string, detail: string): void {
    const times = this.#kinds.get(kind);
    if (times !== undefined) {
      this.#kinds.set(kind, times + 1);
      return;
    }
    // A stranger's words are shown, never trusted: no line breaks, and short.
    this.#log(`${kind}: ${detail.replace(/\p{Cc}/gu, ' ').slice(0, 200)}`);
    this.#kinds.set(kind, 0);
    this.#clock.after(TOLD_EVERY_MS, () => {
      const more = this.#kinds.get(kind) ?? 0;
      this.#kinds.delete(kind);
      if (more > 0) this.#log(`${kind}: ${more} more within a minute`);
    });
  }
}
