// Unused space of a VM's history is given back: storage does it when all else is at rest; here it is watched and stopped.
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Timeline } from '../../shared/timeline.ts';
import { amountText, KIB } from '../../shared/units.ts';
import type { Clock } from '../platform/ports.ts';
import type { StorageClient } from '../storage/client.ts';
import type { Step } from './tasks.ts';

const LOOK_MS = 250;

export async function compactHistory(
  { storage, clock }: { readonly storage: StorageClient; readonly clock: Clock },
  vmId: VmId,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  await storage.call('settle.compact', { vmId, isStopping: false });
  // A pause of what is at rest shows only once there is something to do. One that comes later is waited for.
  if ((await storage.call('timeline.get', { vmId })).settle.state === 'paused') {
    await storage.call('settle.compact', { vmId, isStopping: true });
    throw paused();
  }
  for (;;) {
    const { settle } = await storage.call('timeline.get', { vmId });
    const { isPending, freedBytes } = settle.compact;
    step(isPending ? waitingText(settle) : `${amountText(freedBytes / KIB)} freed`, shareOf(settle));
    if (!isPending) return;
    if (signal.aborted) {
      await storage.call('settle.compact', { vmId, isStopping: true });
      signal.throwIfAborted();
    }
    await new Promise<void>(resolve => {
      clock.after(LOOK_MS, resolve);
    });
  }
}

const paused = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'Tidying the history of this VM is paused; giving space back is part of it.',
    safe: 'Nothing was changed.',
    todo: 'Let it go on first: ebb settle VM run',
  });

function waitingText({ state, work, reason, compact }: Timeline['settle']): string {
  if (state === 'paused') return 'waits: tidying the history is paused';
  if (state === 'blocked') return `waits: ${reason ?? ''}`;
  if (work?.kind !== 'compact') return 'waits for the history to be at rest';
  return `${amountText(compact.freedBytes / KIB)} freed so far`;
}

function shareOf({ work, compact }: Timeline['settle']): number | undefined {
  if (!compact.isPending) return 1;
  return work?.kind !== 'compact' || work.bytesTotal === 0 ? undefined : work.bytesDone / work.bytesTotal;
}
