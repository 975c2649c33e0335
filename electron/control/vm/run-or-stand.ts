// The owner's pause and resume. At a barrier the guest goes on only when the barrier ends (L4): if it ran
// before, it would not be what is saved of it.
import { noteOwner } from './barrier.ts';
import type { LaunchInput } from './launch.ts';
import type { Live } from './live.ts';
import type { VmEvent } from './state.ts';

export interface OwnedInput extends Pick<LaunchInput, 'folders' | 'ports'> {
  readonly live: Live;
  readonly feed: (event: VmEvent) => void;
}

export async function letStand({ live, folders, ports, feed }: OwnedInput): Promise<void> {
  await live.qmp.execute('stop');
  feed({ kind: 'paused', why: '' });
  if (live.isAtBarrier) noteOwner(folders, ports, false);
}

export async function letRun({ live, folders, ports, feed }: OwnedInput): Promise<void> {
  if (live.isAtBarrier) noteOwner(folders, ports, true);
  else await live.qmp.execute('cont');
  feed({ kind: 'running' });
}
