// T8: points that were deleted so long ago that they go for good, by Ebb itself, which is told before and after.
import type { VmId } from '../../../shared/ids.ts';
import type { Moment } from '../../../shared/timeline.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Policy } from '../policy/policy.ts';
import { trashMs } from '../policy/vm-rules.ts';

export type Gone = Pick<Moment, 'id' | 'name' | 'takenAt'>;
/** Before Ebb deletes by itself; what it answers, afterwards: what is gone. */
export type Deleting = (vmId: VmId, moments: readonly Gone[]) => (gone: readonly Gone[]) => void;

export interface OldTrashPorts {
  readonly storage: Pick<StorageClient, 'call'>;
  readonly clock: Clock;
  readonly policy: () => Policy;
  readonly purging: Deleting;
}

export async function purgeOldTrash(
  { storage, clock, policy, purging }: OldTrashPorts,
  vmId: VmId,
): Promise<void> {
  const trashedBefore = clock.wallMs() - trashMs(policy());
  const trash = async () => (await storage.call('timeline.get', { vmId })).trash;
  const old = (await trash()).filter(({ trashedAt }) => trashedAt !== null && trashedAt < trashedBefore);
  const ended = old.length === 0 ? null : purging(vmId, old);
  try {
    await storage.call('trash.purge', { vmId, trashedBefore });
  } finally {
    const left = ended === null ? [] : await trash().catch(() => old);
    // What is read stays until tomorrow.
    ended?.(old.filter(({ id }) => !left.some(moment => moment.id === id)));
  }
}
