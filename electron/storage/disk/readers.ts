// Readers of places that were looked up earlier (T3): nothing is overwritten, punched or closed while a map
// that named it may still be read. A read within one tick needs no entry here; a read that waits in between
// does.
export interface HeldRead {
  /** Reads what was there when the hold began, whatever has moved since. Throws Fault disk.io. */
  read(target: Uint8Array): void;
  end(): void;
}

interface Generation {
  readers: number;
  readonly whenEmpty: (() => void)[];
}

const fresh = (): Generation => ({ readers: 0, whenEmpty: [] });

export class Readers {
  #current = fresh();
  #older: Generation[] = [];

  /** Enters a reader. The function it answers lets the reader leave; calling it again does nothing. */
  enter(): () => void {
    const generation = this.#current;
    generation.readers++;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      if (--generation.readers > 0) return;
      this.#older = this.#older.filter(older => older !== generation);
      for (const resolve of generation.whenEmpty.splice(0)) resolve();
    };
  }

  /**
   * Resolves when everybody who entered before the call has left. Readers that enter later see the new maps.
   */
  async leftOld(): Promise<void> {
    if (this.#current.readers > 0) {
      this.#older.push(this.#current);
      this.#current = fresh();
    }
    await Promise.all(
      this.#older.map(({ whenEmpty }) => new Promise<void>(resolve => whenEmpty.push(resolve))),
    );
  }

  get isIdle(): boolean {
    return this.#current.readers === 0 && this.#older.length === 0;
  }
}
