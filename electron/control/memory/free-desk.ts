// "Free N GiB": VMs give back until that much of the host is free, and keep it free until the request ends.
import type { VmId } from '../../../shared/ids.ts';
import type { FreePreview } from '../../../shared/memory.ts';
import type { Clock } from '../../platform/ports.ts';
import { freeing } from './free.ts';
import type { HostModel } from './model.ts';

/** A request that is being kept. */
export interface Hold {
  /** What all VMs together may hold until the request ends. */
  readonly budgetKib: number;
  /** How much of the host will be free in all. */
  readonly promisedKib: number;
  readonly endsAtMs: number;
}

export interface FreePorts {
  readonly clock: Clock;
  readonly model: () => HostModel;
  /** The host's available memory, sampled by this call. */
  readonly availableKib: () => number;
  readonly residentKib: (vmId: VmId) => number | null;
}

export class FreeDesk {
  readonly #ports: FreePorts;
  #hold: Hold | null = null;

  constructor(ports: FreePorts) {
    this.#ports = ports;
  }

  /** Replaces the request before. `wantedKib` 0 only ends it. */
  free(wantedKib: number, forMs: number): FreePreview {
    const { clock, model, residentKib } = this.#ports;
    this.#hold = null;
    const availableKib = this.#ports.availableKib();
    const nowMs = clock.monotonicMs();
    if (wantedKib === 0)
      return { isEnough: true, freeableKib: 0, sentence: 'VMs use what is free again.', changes: [] };
    const host = model();
    const { budgetKib, preview } = freeing({ host, availableKib, wantedKib, residentKib, nowMs });
    const promisedKib = Math.min(wantedKib, availableKib + preview.freeableKib);
    this.#hold = { budgetKib, promisedKib, endsAtMs: nowMs + forMs };
    return preview;
  }

  /** Null: there is no request, or it has ended. */
  get hold(): Hold | null {
    if (this.#hold !== null && this.#ports.clock.monotonicMs() >= this.#hold.endsAtMs) this.#hold = null;
    return this.#hold;
  }
}
