// "Free N GiB": VMs give back until so much of the host is free, and leave it free meanwhile.
import type { VmId } from '../../../shared/ids.ts';
import type { FreePreview } from '../../../shared/memory.ts';
import type { Clock } from '../../platform/ports.ts';
import { freeing } from './free.ts';
import type { HostModel } from './model.ts';

/** What VMs leave free for somebody. */
export interface Hold {
  /** What they may hold in all meanwhile. */
  readonly budgetKib: number;
  /** Of the host, free in all. */
  readonly promisedKib: number;
  readonly endsAtMs: number;
}

export interface FreePorts {
  readonly clock: Clock;
  readonly model: () => HostModel;
  /** Of the host, looked at now. */
  readonly availableKib: () => number;
  readonly residentKib: (vmId: VmId) => number | null;
}

export class FreeDesk {
  readonly #ports: FreePorts;
  #hold: Hold | null = null;

  constructor(ports: FreePorts) {
    this.#ports = ports;
  }

  /** 0 ends what was asked before. */
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

  /** If it is not over. */
  get hold(): Hold | null {
    if (this.#hold !== null && this.#ports.clock.monotonicMs() >= this.#hold.endsAtMs) this.#hold = null;
    return this.#hold;
  }
}
