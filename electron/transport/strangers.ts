// Connections of whoever has not shown yet that he may be here, and which of them is hung up on where they are too many: the
// oldest that is not being answered. Who drips bytes thus makes room for who says at once what he wants. Decides; the server acts.
import { sourceOf } from '../../shared/access.ts';

/** A browser opens about six for a page and keeps one. */
export const STRANGERS_MAX = 256;
export const STRANGERS_OF_SOURCE_MAX = 128;

export interface Stranger {
  readonly address: string;
  /** All it says has come, and its answer has not been given yet. */
  isBusy(): boolean;
  hangUp(): void;
}

export class Strangers {
  /** Oldest first. */
  readonly #all = new Map<Stranger, string>();

  /** False: there is no room for it. */
  admit(stranger: Stranger): boolean {
    const source = sourceOf(stranger.address);
    const own = [...this.#all].flatMap(([other, from]) => (from === source ? [other] : []));
    if (own.length >= STRANGERS_OF_SOURCE_MAX && !this.#makeRoom(own)) return false;
    if (this.#all.size >= STRANGERS_MAX && !this.#makeRoom([...this.#all.keys()])) return false;
    this.#all.set(stranger, source);
    return true;
  }

  /** It went away, or is known now. */
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
