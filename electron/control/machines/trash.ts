// Empties the trash, when control begins and every day: what was deleted a week ago will not be missed, and
// takes up room.

import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { messageOf } from '../../../shared/result.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import type { MachineFolders } from './machine-folders.ts';

export const TRASH_MS = 7 * 24 * 3_600_000;
const LOOK_MS = 24 * 3_600_000;

export interface TrashPorts {
  readonly clock: Clock;
  readonly folders: Pick<MachineFolders, 'trashed' | 'removeTrashed'>;
  /** The VMs whose trashed points are purged, one VM after another. */
  readonly vms: () => readonly VmId[];
  /** How long what was deleted stays. */
  readonly keptMs: () => number;
  readonly purgePoints: (vmId: VmId) => Promise<void>;
  /** Called when the folder of a deleted VM is gone. */
  readonly removed: (vmId: VmId) => void;
  readonly log: Log;
}

export class Trash {
  readonly #ports: TrashPorts;
  #timer: Timer | null = null;

  constructor(ports: TrashPorts) {
    this.#ports = ports;
  }

  begin(): void {
    this.#timer = this.#ports.clock.every(LOOK_MS, () => void this.empty());
    void this.empty();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async empty(): Promise<void> {
    const { clock, folders, vms, purgePoints, removed } = this.#ports;
    const before = clock.wallMs() - this.#ports.keptMs();
    await this.#logged('its folders', async () => {
      for (const name of folders.trashed()) {
        const old = trashedName(name);
        if (old === null || old.deletedAt >= before) continue;
        await this.#logged(name, async () => {
          await folders.removeTrashed(name);
          removed(old.vmId);
        });
      }
    });
    for (const vmId of vms()) await this.#logged(vmId, () => purgePoints(vmId));
  }

  /** What cannot be removed now stays until tomorrow, and keeps nothing else from going. */
  async #logged(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.#ports.log(`trash, ${what}: ${messageOf(cause)}`, 'warn');
    }
  }
}

/** Pure. Names are `<vmId>-<when>` (machine-folders.ts); what has another name is somebody else's: null. */
export function trashedName(name: string): { readonly vmId: VmId; readonly deletedAt: number } | null {
  const [, vmId, when] = /^(.+)-(\d+)$/.exec(name) ?? [];
  const parsed = vmIdSchema.safeParse(vmId);
  return parsed.success ? { vmId: parsed.data, deletedAt: Number(when) } : null;
}
