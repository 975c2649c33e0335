// Settling moves as many bytes as a point holds, and can wait: where the battery is low it is held, as automatic points are,
// until the charger is there or somebody asks for it all the same.
import type { VmId } from '../../../shared/ids.ts';

export interface SettleHoldPorts {
  readonly holdSettling: (vmId: VmId, isHeld: boolean) => Promise<unknown>;
}

export class SettleHold {
  readonly #ports: SettleHoldPorts;
  readonly #held = new Set<VmId>();
  readonly #lifted = new Set<VmId>();

  constructor(ports: SettleHoldPorts) {
    this.#ports = ports;
  }

  /** At every look: a VM that was closed and opened again is not held any more. */
  async tell(vmId: VmId, isSaving: boolean): Promise<void> {
    if (!isSaving) this.#lifted.delete(vmId);
    if (isSaving && !this.#lifted.has(vmId)) {
      this.#held.add(vmId);
      await this.#ports.holdSettling(vmId, true);
    } else if (this.#held.has(vmId)) await this.#release(vmId);
  }

  async lift(vmId: VmId): Promise<void> {
    this.#lifted.add(vmId);
    if (this.#held.has(vmId)) await this.#release(vmId);
  }

  async #release(vmId: VmId): Promise<void> {
    await this.#ports.holdSettling(vmId, false);
    this.#held.delete(vmId);
  }
}
