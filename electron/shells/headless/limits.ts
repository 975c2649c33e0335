// How often an address may send requests, and how often it may fail to sign in. A flood from one address is
// refused before control hears of it. This bounds load and noise; the secret needs no such protection, with
// 2²⁵⁶ to guess from.
import { sourceOf } from '../../../shared/access.ts';
import { type Pace, paceOf } from '../../../shared/rpc/pace.ts';
import type { Clock } from '../../platform/ports.ts';

/** Enough for a hundred windows that open at the same time behind one address. */
const REQUESTS = { atOnce: 3000, perSecond: 300 };
/** Ten at once, then one every six seconds. */
const FAILURES = { atOnce: 10, perSecond: 1 / 6 };
const ADDRESSES_MAX = 4096;

interface Source {
  readonly requests: Pace;
  readonly failures: Pace;
  isShutOut: boolean;
}

export class AddressLimits {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Source>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  mayAsk(address: string): boolean {
    return this.#of(address).requests.take();
  }

  /** False after too many failed sign-ins, until some time has passed. */
  maySignIn(address: string): boolean {
    const source = this.#of(address);
    if (source.isShutOut && source.failures.take()) source.isShutOut = false;
    return !source.isShutOut;
  }

  failed(address: string): void {
    const source = this.#of(address);
    if (!source.failures.take()) source.isShutOut = true;
  }

  #of(address: string): Source {
    const key = sourceOf(address);
    const nowMs = (): number => this.#clock.monotonicMs();
    const found = this.#sources.get(key) ?? {
      requests: paceOf(REQUESTS, nowMs),
      failures: paceOf(FAILURES, nowMs),
      isShutOut: false,
    };
    // Moves the source to the end of the map: the one that asked longest ago is forgotten first.
    this.#sources.delete(key);
    this.#sources.set(key, found);
    for (const oldest of this.#sources.keys()) {
      if (this.#sources.size <= ADDRESSES_MAX) break;
      this.#sources.delete(oldest);
    }
    return found;
  }
}
