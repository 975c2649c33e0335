// Makes a disk larger, and tells a running guest. The disk keeps its history (T4: points stay as large as
// they were).
import type { DiskId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Machines } from '../machines/machines.ts';

export interface Grown {
  readonly diskId: DiskId;
  /** Rounded up to a size all readers agree on. */
  readonly virtualBytes: number;
  /** Why the running guest hears of the size at its next start only; null: it has heard, or no guest runs. */
  readonly laterBecause: string | null;
}

/** Disks as large as storage says; null where nothing changed. Pure. */
export function asLarge(disks: VmSpec['disks'], timeline: Timeline): VmSpec['disks'] | null {
  const sizes = new Map(timeline.disks.map(disk => [disk.id, disk.virtualBytes]));
  const found = disks.map(disk => ({ ...disk, virtualBytes: sizes.get(disk.id) ?? disk.virtualBytes }));
  return found.some((disk, index) => disk.virtualBytes !== disks[index]?.virtualBytes) ? found : null;
}

/** `diskId` null: the VM's first disk. Called again, it tells a guest that missed the new size. */
export async function growDisk(
  { machines, storage }: { readonly machines: Machines; readonly storage: StorageClient },
  { vmId, diskId, virtualBytes }: { vmId: VmId; diskId: DiskId | null; virtualBytes: number },
): Promise<Grown> {
  const { phase } = machines.get(vmId).state;
  const isLive = phase === 'running' || phase === 'paused';
  if (!isLive) machines.requireOff(vmId, 'growing its disk');
  const { name, disks } = machines.spec(vmId);
  const disk = disks.find(({ id }) => diskId === null || id === diskId);
  if (disk === undefined)
    throw new Fault({
      code: 'disk.not-found',
      what: `"${name}" has no disk ${diskId ?? ''}.`,
      safe: 'Nothing was changed.',
      todo: 'Look at the VM again.',
    });
  await machines.open(vmId);
  const grown = await storage.call('disk.grow', { vmId, diskId: disk.id, virtualBytes });
  // Opening the VM puts the new size into its spec.
  await machines.open(vmId);
  const laterBecause = isLive
    ? await tellGuest(machines, vmId, disks.indexOf(disk), grown.virtualBytes)
    : null;
  return { diskId: disk.id, virtualBytes: grown.virtualBytes, laterBecause };
}

/** The disk has grown whatever QEMU says: so its refusal is answered, not thrown. */
async function tellGuest(
  machines: Machines,
  vmId: VmId,
  index: number,
  virtualBytes: number,
): Promise<string | null> {
  try {
    await machines.supervisor(vmId).diskGrew(index, virtualBytes);
    return null;
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    return cause.body.what;
  }
}
