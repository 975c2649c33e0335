// Time that moves only when told. Timers run in the order of their time. Between two timers all settled
// promises run, so that one seed always gives one run.
import type { Clock } from '../../../electron/platform/ports.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

export class SimClock implements Clock {
  readonly #due: Due[] = [];
  #now = 0;
  #order = 0;
  /** Wall time less monotonic time: the clock of a laptop jumps. */
  wallOffsetMs = 1_700_000_000_000;

  wallMs(): number {
    return this.wallOffsetMs + this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    const due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#due.push(due);
    return {
      cancel: () => {
        const index = this.#due.indexOf(due);
        if (index >= 0) this.#due.splice(index, 1);
      },
    };
  }

  every(): never {
    throw new Error('the simulated clock has no intervals');
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => void this.after(ms, resolve));
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.#takeDue(end); next !== null; next = this.#takeDue(end)) {
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = end;
  }

  #takeDue(end: number): Due | null {
    let first = -1;
    for (const [index, due] of this.#due.entries()) {
      const best = this.#due[first];
      if (
        due.at <= end &&
        (best === undefined || due.at < best.at || (due.at === best.at && due.order < best.order))
      )
        first = index;
    }
    return first < 0 ? null : (this.#due.splice(first, 1)[0] ?? null);
  }
}
