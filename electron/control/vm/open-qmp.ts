// Opens the QMP session of a QEMU that was just started or found, or tells why there is none.
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import type { ProcessId } from '../../platform/process.ts';
import { QmpSession } from '../qmp/session.ts';
import { logPath } from './home-files.ts';
import { socketsIn } from './run-record.ts';
import { qemuDied } from './supervisor-errors.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { until } from './wait.ts';

const QMP_UP = { timeoutMs: 30_000, stepMs: 25 };
/** As long as a process that was told to end may take. */
export const GONE = { timeoutMs: 10_000, stepMs: 20 };

const lastWords = (what: string, folders: VmFolders, ports: SupervisorPorts): ErrorBody =>
  qemuDied(what, ports.readText(logPath(folders)));

/** Waits for QMP as long as QEMU lives. Faults with QEMU's own last words. */
export async function openQmp(
  folders: VmFolders,
  ports: SupervisorPorts,
  process: ProcessId,
): Promise<QmpSession> {
  const path = socketsIn(folders.run).qmp;
  const stream = await until(ports.clock, QMP_UP, async () => {
    if (!ports.isAlive(process)) throw new Fault(lastWords('QEMU ended while starting.', folders, ports));
    return ports.connect(path).catch(() => null);
  });
  if (stream === null)
    throw new Fault(lastWords('QEMU did not open its control socket in time.', folders, ports));
  return QmpSession.open(stream, ports.clock);
}

/** QEMU opens QMP before it looks at its devices: if one fails, the session knows only that it closed. */
export async function whyNotStarted(
  folders: VmFolders,
  ports: SupervisorPorts,
  process: ProcessId | null,
  cause: unknown,
): Promise<unknown> {
  if (process === null || !(cause instanceof Fault) || cause.body.code !== 'vm.died') return cause;
  await until(ports.clock, GONE, () => (ports.isAlive(process) ? null : true));
  return new Fault(lastWords('QEMU ended while starting.', folders, ports), cause);
}
