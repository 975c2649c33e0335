import { describe, expect, it } from 'vitest';
import {
  asked,
  foldProgress,
  freshProgress,
  isQuarantined,
  type Progress,
  paused,
} from '../../../../electron/control/memory/progress.ts';

const MIB = 1024;
const STEP_MS = 250;

/** A guest at `atMib`, sampled every 250 ms while its target changes. */
class Patience {
  progress: Progress;
  #nowMs = 0;
  #targetMib: number;
  readonly #startMib: number;

  constructor(startMib: number) {
    this.#startMib = startMib;
    this.progress = freshProgress(startMib * MIB, 0);
    this.#targetMib = startMib;
  }

  ask(targetMib: number): this {
    this.progress = asked(this.progress, this.#targetMib * MIB, targetMib * MIB, this.#nowMs);
    this.#targetMib = targetMib;
    return this;
  }

  during(ms: number, atMib: (sinceMs: number) => number = () => this.#startMib): this {
    for (let since = STEP_MS; since <= ms; since += STEP_MS) {
      this.#nowMs += STEP_MS;
      this.progress = foldProgress(this.progress, this.#targetMib * MIB, atMib(since) * MIB, this.#nowMs);
    }
    return this;
  }

  pause(ms: number): this {
    this.#nowMs += ms;
    this.progress = paused(this.progress, this.#nowMs);
    return this;
  }

  get isSetAside(): boolean {
    return isQuarantined(this.progress, this.#nowMs);
  }
}

describe('M4: a guest that does not move', () => {
  it('is set aside after five seconds, not before', () => {
    const guest = new Patience(1024).ask(512);
    expect(guest.during(4500).isSetAside).toBe(false);
    expect(guest.during(1000).isSetAside).toBe(true);
  });

  it('is found out by a plan that changes its mind, too', () => {
    const guest = new Patience(1024).ask(512).during(4000).ask(1024).during(3000).ask(512).during(1000);
    expect(guest.isSetAside).toBe(false);
    expect(guest.during(1500).isSetAside).toBe(true);
  });

  it('is forgiven what was long ago', () => {
    const guest = new Patience(1024).ask(512).during(4000).ask(1024).during(20_000).ask(512);
    expect(guest.during(4000).isSetAside).toBe(false);
  });

  it('is forgiven when it moves', () => {
    const guest = new Patience(1024).ask(512).during(4000);
    expect(guest.during(3000, since => 1024 - since / 100).isSetAside).toBe(false);
    expect(guest.progress.vainMs).toBe(0);
  });

  it('is given its time from the end of a pause', () => {
    const guest = new Patience(1024).ask(512).during(3000).pause(60_000);
    expect(guest.during(3000).isSetAside).toBe(false);
  });
});
