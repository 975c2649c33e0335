// Gives back the unused space of a VM's history. Storage does the work, when all else is at rest; here it is
// watched, paused and stopped.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CompactOrder, Timeline } from '../../../shared/timeline.ts';
import { bytesText } from '../../../shared/units.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Bytes, TaskRun } from '../tasks/tasks.ts';

const LOOK_MS = 250;
/** The task's mark: storage was told, and goes on whatever becomes of control. */
const TOLD = 'told';

interface Ports {
  readonly storage: StorageClient;
  readonly clock: Clock;
}

export async function compactHistory({ storage, clock }: Ports, vmId: VmId, run: TaskRun): Promise<void> {
  const tell = async (to: CompactOrder): Promise<void> => {
    await storage.call('settle.compact', { vmId, to });
    run.mark(to === 'stop' ? null : TOLD);
  };
  const look = async (): Promise<Timeline['settle']> => (await storage.call('timeline.get', { vmId })).settle;
  const wait = async (): Promise<void> => {
    await tell('pause');
    try {
      await run.gate.passed();
    } catch (cancelled) {
      await tell('stop');
      throw cancelled;
    }
    // Where storage was done between the look and the pause, it must not begin anew.
    if ((await look()).compact.isPending) await tell('run');
  };
  if (run.stood !== TOLD) {
    // Refused here only: where settling is paused later, the task waits.
    if ((await look()).isPaused) throw paused();
    // Begins from the start, also where an earlier task that was given up left a pause behind.
    await tell('stop');
    await tell('run');
  }
  await run.gate.pausable(async () => {
    for (;;) {
      const settle = await look();
      const { isPending, isPaused, freedBytes } = settle.compact;
      run.step(isPending ? waitingText(settle) : `${bytesText(freedBytes)} freed`, bytesOf(settle));
      if (!isPending) return;
      if (run.gate.isPaused || run.signal.aborted) await wait();
      else if (isPaused) await tell('run');
      await new Promise<void>(resolve => {
        clock.after(LOOK_MS, resolve);
      });
    }
  });
}

const paused = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'Tidying the history of this VM is paused; giving space back is part of it.',
    safe: 'Nothing was changed.',
    todo: 'Let it go on first: ebb settle VM run',
  });

function waitingText({ state, isHeld, work, reason, compact }: Timeline['settle']): string {
  if (state === 'paused')
    return `waits: tidying the history ${isHeld ? 'waits for the charger' : 'is paused'}`;
  if (state === 'blocked') return `waits: ${reason ?? ''}`;
  if (work?.kind !== 'compact') return 'waits for the history to be at rest';
  return `${bytesText(compact.freedBytes)} freed so far`;
}

const bytesOf = ({ work, compact }: Timeline['settle']): Bytes | undefined =>
  work?.kind !== 'compact' || !compact.isPending || work.bytesTotal === 0
    ? undefined
    : { done: work.bytesDone, total: work.bytesTotal };
