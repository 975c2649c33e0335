// T8: purges points that were deleted long ago from the trash, for good. Ebb does so by itself: `purging` is
// told before and after.
import type { VmId } from '../../../shared/ids.ts';
import type { Moment } from '../../../shared/timeline.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Policy } from '../policy/policy.ts';
import { trashMs } from '../policy/vm-rules.ts';

export type Gone = Pick<Moment, 'id' | 'name' | 'takenAt'>;
/** Called before Ebb deletes these by itself; what it answers is called afterwards, with what is gone. */
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
    // A point that somebody reads stays until tomorrow.
    ended?.(old.filter(({ id }) => !left.some(moment => moment.id === id)));
  }
}
