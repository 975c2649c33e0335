// Watches the host's memory: its figures, what its own programs use, and the budget that this leaves for VMs.
import type { Clock } from '../../platform/ports.ts';
import { budgetOf, type HostFigures, type MemoryPolicy } from './budget.ts';
import { expectedUseKib, foldHostUse, type HostUse, hostUseKib, steadyUse } from './host-use.ts';

export class HostWatch {
  readonly #host: () => HostFigures;
  readonly #clock: Clock;
  readonly #isBare: boolean;
  #figures: HostFigures;
  #use: HostUse;

  /** `isBare`: no margin and no foresight, from tests alone. */
  constructor(host: () => HostFigures, clock: Clock, isBare: boolean) {
    this.#host = host;
    this.#clock = clock;
    this.#isBare = isBare;
    this.#figures = host();
    // Before running VMs are adopted, all used memory counts as the host's own: so not too much is given.
    this.#use = steadyUse(hostUseKib(this.#figures, 0), clock.monotonicMs());
  }

  get figures(): HostFigures {
    return this.#figures;
  }

  /** `vmResidentKib`: what our VMs hold, which is not the host's own use. */
  look(vmResidentKib: number): void {
    this.#figures = this.#host();
    this.#use = foldHostUse(this.#use, hostUseKib(this.#figures, vmResidentKib), this.#clock.monotonicMs());
  }

  /** Forgets the use seen so far: it counted adopted VMs' memory as the host's, or is from before a sleep. */
  restart(vmResidentKib: number): void {
    this.#figures = this.#host();
    this.#use = steadyUse(hostUseKib(this.#figures, vmResidentKib), this.#clock.monotonicMs());
  }

  budgetKib(policy: MemoryPolicy): number {
    const useKib = this.#isBare ? this.#use.nowKib : expectedUseKib(this.#use);
    return budgetOf(policy, this.#figures.totalKib, useKib, this.#isBare ? 0 : undefined);
  }
}
