// Ending a QEMU that does not end by itself.
import type { VmId } from '../../../shared/ids.ts';
import type { ProcessId } from '../../platform/process.ts';
import { GONE } from './open-qmp.ts';
import type { SupervisorPorts } from './supervisor-port.ts';
import { until } from './wait.ts';

type EndPorts = Pick<SupervisorPorts, 'clock' | 'isAlive' | 'end' | 'log'>;

export const hasEnded = async (process: ProcessId, within: typeof GONE, ports: EndPorts): Promise<boolean> =>
  (await until(ports.clock, within, () => !ports.isAlive(process) || null)) !== null;

/** M2: a QEMU that the kernel cannot end yet keeps its memory: it counts until this resolves. */
export async function endQemu(
  process: ProcessId,
  ports: EndPorts,
  vmId: VmId,
  isLeft: () => boolean,
): Promise<void> {
  ports.end(process, 'SIGKILL');
  while (!(await hasEnded(process, GONE, ports)) && !isLeft())
    ports.log(`vm ${vmId}: QEMU (pid ${process.pid}) does not end; its memory stays counted`);
}
