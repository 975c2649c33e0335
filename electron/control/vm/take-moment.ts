// Chooses the barrier at which a VM's points are taken.
import type { VmPhase, VmSpec } from '../../../shared/vm.ts';
import { isLive } from '../../../shared/vm-phase.ts';
import { atFrozen, atSavedMemory, atStandstill, type MemoryBarrierInput } from './barrier.ts';
import type { Live } from './live.ts';
import type { SupervisorPorts, TakeMemory, Taken, VmFolders } from './supervisor-port.ts';
import { PACKING } from './suspended.ts';

export interface TakeInput extends Pick<MemoryBarrierInput, 'isRunWanted' | 'stays'> {
  readonly spec: Pick<VmSpec, 'firmware' | 'hasTpm'>;
  readonly live: Live | null;
  readonly phase: VmPhase;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
}

export async function takeMoment<T>(
  { spec, live, phase, folders, ports, ...wanted }: TakeInput,
  memory: TakeMemory | null,
  commit: () => Promise<T>,
): Promise<Taken<T>> {
  if (live !== null && memory !== null) {
    const { qmp, record } = live;
    live.isAtBarrier = true;
    try {
      const value = await atSavedMemory({ qmp, folders, ports, ...memory, ...wanted }, commit);
      return { value, consistency: 'memory', record: { ...record, packing: PACKING } };
    } finally {
      live.isAtBarrier = false;
    }
  }
  // The agent of a guest that is paused, starts or ends answers nobody.
  if (live === null || phase !== 'running')
    return { value: await commit(), consistency: isLive(phase) ? 'crash' : 'off', record: null };
  const { qmp, agent } = live;
  const hasState = spec.firmware !== 'bios' || spec.hasTpm;
  const exact = async (): Promise<T> => {
    live.isAtBarrier = true;
    try {
      return await atStandstill({ qmp, folders, ports, ...wanted }, commit);
    } finally {
      live.isAtBarrier = false;
    }
  };
  const { value, isFrozen } = await atFrozen({ agent, folders, ports }, hasState ? exact : commit);
  return { value, consistency: isFrozen ? 'frozen' : 'crash', record: null };
}
