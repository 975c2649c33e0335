// Starts the VMs that start by themselves: once after each start of this computer, one after the other. Which
// VMs are left is noted before each start: so where control dies in between, the next one goes on with the
// rest, and a control that is restarted later starts no VM that a person has shut down.
import * as z from 'zod';
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock } from '../../platform/ports.ts';
import { delay } from '../vm/wait.ts';

const noteSchema = z.object({ boot: z.string(), left: z.array(vmIdSchema) });

type Wish = Pick<VmSpec, 'id' | 'name' | 'autostart'>;

/** Lower orders first; of the same order by name. Pure. */
export const startOrder = (specs: readonly Wish[]): VmId[] =>
  specs
    .flatMap(({ id, name, autostart }) => (autostart === null ? [] : [{ id, name, order: autostart.order }]))
    .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name, 'en'))
    .map(({ id }) => id);

export interface AutostartPorts {
  readonly clock: Clock;
  readonly bootId: string;
  readonly readNote: () => unknown;
  /** Durable. */
  readonly writeNote: (note: unknown) => void;
  readonly vms: () => readonly (Wish & { readonly isRunning: boolean })[];
  /** Resolves when the VM runs, or could not be started. */
  readonly start: (vmId: VmId) => Promise<void>;
  readonly log: (line: string) => void;
}

export class Autostart {
  readonly #ports: AutostartPorts;
  #isStopped = false;

  constructor(ports: AutostartPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    const { clock, bootId, writeNote, vms, start, log } = this.#ports;
    let left = this.#left();
    writeNote({ boot: bootId, left });
    while (left.length > 0) {
      const [vmId, ...rest] = left as [VmId, ...VmId[]];
      const seconds = this.#find(vmId)?.autostart?.delaySeconds ?? 0;
      if (seconds > 0) await delay(clock, seconds * 1000);
      if (this.#isStopped) return;
      left = rest;
      writeNote({ boot: bootId, left });
      // The VM may have been changed, deleted or started during the delay.
      const vm = vms().find(({ id }) => id === vmId);
      if (vm === undefined || vm.autostart === null || vm.isRunning) continue;
      log(`vm ${vmId}: starts by itself`);
      await start(vmId);
    }
  }

  #find(vmId: VmId): Wish | undefined {
    return this.#ports.vms().find(({ id }) => id === vmId);
  }

  /** The VMs still to be started since the computer started: what the last control left, or all. */
  #left(): VmId[] {
    const noted = noteSchema.safeParse(this.#ports.readNote());
    return noted.success && noted.data.boot === this.#ports.bootId
      ? noted.data.left
      : startOrder(this.#ports.vms());
  }
}
