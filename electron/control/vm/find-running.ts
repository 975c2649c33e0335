// Finds a QEMU that outlived its control (M9): its record, and whether it still runs.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { ProcessId } from '../../platform/process.ts';
import type { GuestPort } from '../ports.ts';
import { recordPath } from './home-files.ts';
import { type RunRecord, runRecordSchema, socketsIn } from './run-record.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { until } from './wait.ts';

/** A QEMU writes its pid as soon as it has read its arguments. */
const PID_FILE = { timeoutMs: 5_000, stepMs: 50 };

/** Between tries to reach a QEMU that runs and does not answer. */
export const REACH_AGAIN_MS = 5_000;

export interface Found {
  readonly record: RunRecord;
  readonly process: ProcessId;
}

/** Null where none runs. */
export async function findRunning(folders: VmFolders, ports: SupervisorPorts): Promise<Found | null> {
  const parsed = runRecordSchema.safeParse(ports.readJson(recordPath(folders)));
  const process = parsed.success ? (parsed.data.process ?? (await fromPidFile(folders, ports))) : null;
  return parsed.success && process !== null && ports.isAlive(process)
    ? { record: parsed.data, process }
    : null;
}

/** Control died before it noted the QEMU it spawned, which may be about to write its pid. */
function fromPidFile(folders: VmFolders, ports: SupervisorPorts): Promise<ProcessId | null> {
  const { pidFile } = socketsIn(folders.run);
  return until(ports.clock, PID_FILE, () => {
    const pid = Number(ports.readText(pidFile).trim());
    return Number.isInteger(pid) && pid > 0 ? ports.processOf(pid) : null;
  });
}

/** The guest port of a QEMU that cannot be reached yet: the VM counts as all it was started with. */
export function unreachable(vmId: VmId, pid: number, residentKib: () => number | null): GuestPort {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Fault({
        code: 'vm.timeout',
        what: 'Its QEMU runs and cannot be reached yet.',
        safe: 'The VM goes on as it was.',
        todo: 'Wait, or force the VM off.',
      }),
    );
  return { vmId, pid, setTarget: refuse, sample: refuse, residentKib };
}
