// Once QEMU's QMP socket answers: makes the memory manager's guest port and the line to the agent inside.
import type { VmId } from '../../../shared/ids.ts';
import type { ProcessId } from '../../platform/process.ts';
import { AgentLine } from '../qga/line.ts';
import { openAgent } from '../qga/open.ts';
import { PressureReader } from '../qga/pressure.ts';
import type { QmpSession } from '../qmp/session.ts';
import { Guest } from './guest.ts';
import { type RunRecord, socketsIn } from './run-record.ts';
import { AGENT_CHARDEV } from './spec-to-argv.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';

export interface ReachInput {
  readonly vmId: VmId;
  readonly folders: VmFolders;
  readonly ports: Pick<SupervisorPorts, 'clock' | 'connect' | 'residents'>;
  readonly process: ProcessId;
  readonly record: RunRecord;
  readonly qmp: QmpSession;
}

export interface Reached {
  readonly guest: Guest;
  readonly agent: AgentLine;
}

export function reachGuest({ vmId, folders, ports, process, record, qmp }: ReachInput): Reached {
  const { clock, connect } = ports;
  const way = { qmp, connect, clock, chardev: AGENT_CHARDEV, path: socketsIn(folders.run).qga };
  const agent = new AgentLine(() => openAgent(way));
  const pressure = new PressureReader({ clock, open: () => agent.get() });
  qmp.onClose(() => {
    pressure.close();
    agent.close();
  });
  const guest = new Guest({
    vmId,
    pid: process.pid,
    qmp,
    hasBalloon: record.hasBalloon,
    residentKib: () => ports.residents.now(process.pid),
    freshResidentKib: () => ports.residents.fresh(process.pid),
    agent: () => pressure.figures(),
  });
  return { guest, agent };
}
