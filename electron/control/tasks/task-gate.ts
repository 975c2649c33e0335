// Where a task waits while it is paused. The work says in which stretches it can wait, and asks between two pieces whether
// it may go on; what runs beside it (a tool) is told. Outside such a stretch nothing can be paused, and nothing says so.
export class TaskGate {
  readonly #signal: AbortSignal;
  readonly #changed: () => void;
  readonly #followers = new Set<(isPaused: boolean) => void>();
  #isPaused: boolean;
  #stretches = 0;
  #open = Promise.withResolvers<void>();

  constructor(options: {
    readonly isPaused: boolean;
    readonly signal: AbortSignal;
    readonly changed: () => void;
  }) {
    this.#isPaused = options.isPaused;
    this.#signal = options.signal;
    this.#changed = options.changed;
    // Cancelled while it waits: it goes on to its end.
    options.signal.addEventListener('abort', () => this.#open.resolve(), { once: true });
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get canPause(): boolean {
    return this.#stretches > 0;
  }

  set(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#open = Promise.withResolvers();
    else this.#open.resolve();
    for (const tell of this.#followers) tell(isPaused);
    this.#changed();
  }

  /** Hears of every change until the function it answers is called. */
  follow(tell: (isPaused: boolean) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  /** Resolves when the work may go on; rejects once it is cancelled. */
  async passed(): Promise<void> {
    while (this.#isPaused && !this.#signal.aborted) await this.#open.promise;
    this.#signal.throwIfAborted();
  }

  /** A stretch that can be paused: neither begun nor left while it is. */
  async pausable<T>(work: () => Promise<T>): Promise<T> {
    this.#stretches++;
    this.#changed();
    try {
      await this.passed();
      const answer = await work();
      await this.passed();
      return answer;
    } finally {
      this.#stretches--;
      this.#changed();
    }
  }
}
