// Where a task waits while it is paused. The work marks the stretches in which it can wait (`pausable`), and
// asks between two pieces whether it may go on (`passed`). A tool that runs beside the work is told
// (`follow`). Outside such a stretch the task cannot be paused, and `canPause` is false.
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
    // A task that is cancelled while it waits must wake up, so that it can end.
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

  /** `tell` hears of every pause and its end, until the function that `follow` answers is called. */
  follow(tell: (isPaused: boolean) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  /** Resolves when the work may go on; rejects once it is cancelled. */
  async passed(): Promise<void> {
    while (this.#isPaused && !this.#signal.aborted) await this.#open.promise;
    this.#signal.throwIfAborted();
  }

  /** Runs a stretch of work that can be paused. While paused, the stretch is neither begun nor left. */
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
