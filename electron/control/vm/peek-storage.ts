// The storage port of a peek's supervisor: its disks are points of another VM, served read-only and held as
// long as the peek's QEMU reads them.
import { invariant } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Peek } from '../../../shared/vm-setup.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { StoragePort } from '../ports.ts';

type Storage = Pick<StorageClient, 'holdPoint' | 'letGo' | 'healthy'>;

/** `socketOf`: the socket path of the peek's disk with that index. */
export function peekStorage(
  { disks }: Pick<VmSpec, 'disks'>,
  { vmId, points }: Peek,
  storage: Storage,
  socketOf: (index: number) => string,
): StoragePort {
  const indexOf = (diskId: string): number => disks.findIndex(({ id }) => id === diskId);
  return {
    openExport: (_, diskId) => {
      const index = indexOf(diskId);
      const pointId = points[index];
      invariant(pointId !== undefined, `a peek without a point for disk ${diskId}`);
      return storage.holdPoint(vmId, pointId, socketOf(index));
    },
    closeExport: (_, diskId) => storage.letGo(vmId, socketOf(indexOf(diskId))),
    healthy: () => storage.healthy(),
    isSpoiled: () => Promise.resolve(false),
  };
}
