// Turns QEMU's events into those of the state machine and of the memory manager.
import type { VmPhase } from '../../../shared/vm.ts';
import type { VmMemoryEvent } from '../ports.ts';
import type { Guest } from './guest.ts';
import type { VmEvent } from './state.ts';

export interface EventEars {
  readonly phase: VmPhase;
  /** Names of the channels that somebody in the guest has open. */
  readonly channels: Set<string>;
  readonly isAtBarrier: boolean;
  readonly feed: (event: VmEvent) => void;
  readonly tell: (event: VmMemoryEvent) => void;
  /** The guest powers off, or QEMU was told to end: its end is no failure. */
  readonly endsItself: () => void;
  readonly diskFailed: (isFull: boolean) => void;
}

export function onQemuEvent(name: string, data: Readonly<Record<string, unknown>>, ears: EventEars): void {
  switch (name) {
    case 'RESUME':
      if (!ears.isAtBarrier) ears.feed({ kind: 'running' });
      return ears.tell('resumed');
    case 'STOP':
      if (ears.phase === 'running' && !ears.isAtBarrier) ears.feed({ kind: 'paused', why: '' });
      return ears.tell('paused');
    case 'VSERPORT_CHANGE':
      return onChannel(String(data.id), data.open === true, ears);
    case 'RESET':
      ears.channels.clear();
      ears.feed({ kind: 'guest-down' });
      return ears.tell('reset');
    case 'BALLOON_CHANGE':
      return ears.tell('balloon-changed');
    case 'SHUTDOWN':
      return ears.endsItself();
    case 'GUEST_PANICKED':
      return ears.feed({
        kind: 'paused',
        why: 'The guest system crashed. Reset it, or take a look at its screen first.',
      });
    case 'BLOCK_IO_ERROR':
      return ears.diskFailed(data.nospace === true);
  }
}

/** After a resume QEMU tells of every channel: one that is closed does not mean that all are. */
function onChannel(name: string, isOpen: boolean, { channels, feed, tell }: EventEars): void {
  if (isOpen) channels.add(name);
  else channels.delete(name);
  feed({ kind: channels.size > 0 ? 'guest-up' : 'guest-down' });
  if (isOpen) tell('guest-up');
}

export const STAYS_TEXT =
  'It did not go on after its memory was saved. Ebb tries again by itself; nothing is lost.';

export const diskErrorText = (isFull: boolean): string =>
  isFull
    ? 'Paused: the disk is full. It goes on by itself when there is room; nothing is lost.'
    : DISK_AWAY_TEXT;

export const DISK_AWAY_TEXT =
  'Paused: its disk does not answer. It goes on by itself when it does; nothing is lost.';
/** T14: such a VM may not go on: what it wrote and now flushes again would not be there. */
export const DISK_SPOILED_TEXT =
  'Paused: the host could not write what this VM flushes, and takes nothing more from it. What was flushed before is safe. Check the host disk, force the VM off, then start it.';

/** Why a VM that is found stands still; null: it runs; '': its owner paused it, or nobody knows who did. */
export async function whyStill(guest: Pick<Guest, 'status' | 'isDiskFull'>): Promise<string | null> {
  const { running, status } = await guest.status();
  if (status !== 'io-error') return running ? null : '';
  return diskErrorText(await guest.isDiskFull());
}
