// At which barrier a VM's points are taken.
import type { VmPhase } from '../../../shared/vm.ts';
import { atFrozen, atSavedMemory, type Stays } from './barrier.ts';
import type { Live } from './live.ts';
import { isLive } from './state.ts';
import type { SupervisorPorts, TakeMemory, Taken, VmFolders } from './supervisor-port.ts';
import { PACKING } from './suspended.ts';

export interface TakeInput {
  readonly live: Live | null;
  readonly phase: VmPhase;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
  readonly stays: Stays;
}

export async function takeMoment<T>(
  { live, phase, folders, ports, stays }: TakeInput,
  memory: TakeMemory | null,
  commit: () => Promise<T>,
): Promise<Taken<T>> {
  if (live !== null && memory !== null) {
    const { qmp, record } = live;
    live.isAtBarrier = true;
    try {
      const wasRunning = phase === 'running';
      const value = await atSavedMemory({ qmp, folders, ports, ...memory, wasRunning, stays }, commit);
      return { value, consistency: 'memory', record: { ...record, packing: PACKING } };
    } finally {
      live.isAtBarrier = false;
    }
  }
  // A guest that is paused, starts or ends answers nobody.
  if (live === null || phase !== 'running')
    return { value: await commit(), consistency: isLive(phase) ? 'crash' : 'off', record: null };
  const { value, isFrozen } = await atFrozen({ agent: live.agent, folders, ports }, commit);
  return { value, consistency: isFrozen ? 'frozen' : 'crash', record: null };
}
