// Caps a VM's share of this computer's processors. The kernel holds the cap where it may (cgroup v2,
// `cpu.max`), from QEMU's spawn on and while it runs. A cap that cannot be held keeps no VM from running.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CpuHold, VmGroups } from '../../platform/vm-groups.ts';

export class CpuCaps {
  readonly #groups: VmGroups;
  readonly #log: (line: string) => void;
  /** The cap last set, by pid. The cap of an adopted QEMU is not known. */
  readonly #held = new Map<number, number | null>();

  constructor(groups: VmGroups, log: (line: string) => void) {
    this.#groups = groups;
    this.#log = log;
  }

  get hold(): CpuHold {
    return this.#groups.cpu;
  }

  /**
   * `pid`: QEMU's. `percent`: of all processors; null: no limit. Enters also the group of an earlier control,
   * which may hold a cap where this control could not make a group.
   */
  set(vmId: VmId, pid: number, percent: number | null): void {
    if (this.#held.get(pid) === percent) return;
    try {
      const group = this.#groups.enter(vmId, pid);
      // `hold` says why there is none.
      if (group === null) return;
      group.setCpuPercent(percent);
      this.#held.set(pid, percent);
    } catch (cause) {
      this.#log(`vm ${vmId}: its share of the processors is not limited: ${String(cause)}`);
    }
  }

  ended(pid: number): void {
    this.#held.delete(pid);
  }

  /** Called before a person is told that a cap holds. Faults: host.unsupported. */
  require(): void {
    const { hold } = this;
    if (hold.isHeld) return;
    throw new Fault({
      code: 'host.unsupported',
      what: `A share of the processors cannot be held on this computer. ${hold.why}`,
      safe: 'Nothing was changed.',
      todo:
        hold.todo === ''
          ? 'Give the VM fewer processors instead.'
          : `Quit Ebb, start it with: ${hold.todo}. Or give the VM fewer processors instead.`,
    });
  }
}
