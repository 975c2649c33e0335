// A disk of a VM that is off becomes larger, with its history (T4: points stay as large as they were).
import type { DiskId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSpec } from '../../shared/vm.ts';
import type { StorageClient } from '../storage/client.ts';
import type { Machines } from './machines.ts';

/** Disks as large as storage says; null where nothing changed. Pure. */
export function asLarge(disks: VmSpec['disks'], timeline: Timeline): VmSpec['disks'] | null {
  const sizes = new Map(timeline.disks.map(disk => [disk.id, disk.virtualBytes]));
  const found = disks.map(disk => ({ ...disk, virtualBytes: sizes.get(disk.id) ?? disk.virtualBytes }));
  return found.some((disk, index) => disk.virtualBytes !== disks[index]?.virtualBytes) ? found : null;
}

/** Null: its first disk. Answers with the size, rounded up to one all readers agree on. */
export async function growDisk(
  { machines, storage }: { readonly machines: Machines; readonly storage: StorageClient },
  { vmId, diskId, virtualBytes }: { vmId: VmId; diskId: DiskId | null; virtualBytes: number },
): Promise<{ diskId: DiskId; virtualBytes: number }> {
  machines.requireOff(vmId, 'growing its disk');
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
  // Its spec hears of the new size.
  await machines.open(vmId);
  return { diskId: disk.id, virtualBytes: grown.virtualBytes };
}
