// Holds settling while the battery is low, as automatic points are held: settling moves as many bytes as a
// point holds, and can wait. It goes on when the charger is there, or when somebody asks for it all the same.
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

  /** Called at every look, not only at a change: storage forgets the hold of a VM that it closes. */
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
