// Runs something at once and then at most once a period, never losing the last request.
import type { Clock, Timer } from '../platform/ports.ts';

export class Throttle {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #run: () => void;
  #timer: Timer | null = null;
  #isOwed = false;

  constructor(clock: Clock, periodMs: number, run: () => void) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#run = run;
  }

  request(): void {
    if (this.#timer !== null) {
      this.#isOwed = true;
      return;
    }
    this.#isOwed = false;
    this.#timer = this.#clock.after(this.#periodMs, () => {
      this.#timer = null;
      if (this.#isOwed) this.request();
    });
    this.#run();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
