// The one way to a guest's agent: QEMU's socket has one client at a time, so whoever asks shares it.
import type { GuestAgent } from './session.ts';

export class AgentLine {
  readonly #open: () => Promise<GuestAgent | null>;
  #agent: GuestAgent | null = null;
  #opening: Promise<GuestAgent | null> | null = null;
  #isClosed = false;
  #claims = 0;

  constructor(open: () => Promise<GuestAgent | null>) {
    this.#open = open;
  }

  /** Null: nobody listens in the guest. A session that was closed is opened anew. */
  get(): Promise<GuestAgent | null> {
    if (this.#agent?.isOpen === true) return Promise.resolve(this.#agent);
    this.#opening ??= this.#reach().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** Claims freezing and thawing of the guest. Answers true until there is another claim or the VM ended. */
  claim(): () => boolean {
    const own = ++this.#claims;
    return () => !this.#isClosed && own === this.#claims;
  }

  close(): void {
    this.#isClosed = true;
    this.#agent?.close();
  }

  async #reach(): Promise<GuestAgent | null> {
    const agent = this.#isClosed ? null : await this.#open();
    // The VM ended meanwhile: `close` did not know of this session yet.
    if (this.#isClosed) agent?.close();
    this.#agent = agent;
    return this.#isClosed ? null : agent;
  }
}
