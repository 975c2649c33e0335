// Connections of strangers: callers who have not signed in yet. Where they are too many, the oldest one that
// is not being answered is hung up on. So a caller that drips bytes makes room for one that sends its request
// at once. This class decides; the web server acts.
import { sourceOf } from '../../shared/access.ts';

/** A browser opens about six for a page and keeps one. */
export const STRANGERS_MAX = 256;
export const STRANGERS_OF_SOURCE_MAX = 128;

export interface Stranger {
  readonly address: string;
  /** True while its request has arrived whole and its answer has not been sent whole. */
  isBusy(): boolean;
  hangUp(): void;
}

export class Strangers {
  /** Oldest first. */
  readonly #all = new Map<Stranger, string>();

  /** False: there is no room for the stranger. */
  admit(stranger: Stranger): boolean {
    const source = sourceOf(stranger.address);
    const own = [...this.#all].flatMap(([other, from]) => (from === source ? [other] : []));
    if (own.length >= STRANGERS_OF_SOURCE_MAX && !this.#makeRoom(own)) return false;
    if (this.#all.size >= STRANGERS_MAX && !this.#makeRoom([...this.#all.keys()])) return false;
    this.#all.set(stranger, source);
    return true;
  }

  /** The stranger went away, or has signed in. */
  forget(stranger: Stranger): void {
    this.#all.delete(stranger);
  }

  #makeRoom(some: readonly Stranger[]): boolean {
    const idle = some.find(stranger => !stranger.isBusy());
    if (idle === undefined) return false;
    this.#all.delete(idle);
    idle.hangUp();
    return true;
  }
}
