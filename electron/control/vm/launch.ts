// What a VM needs before its QEMU can be started, and gives back after: the exact arguments and its disks' exports.
import { Fault } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { type RunRecord, relocated, socketsIn } from './run-record.ts';
import { specToArgv } from './spec-to-argv.ts';
import { sampleMissing } from './supervisor-errors.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';

export interface LaunchInput {
  readonly spec: VmSpec;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
}

export const recordPath = ({ home }: VmFolders): string => `${home}/run.json`;
export const logPath = ({ home }: VmFolders): string => `${home}/qemu.log`;

/** The very machine that was saved (L4), or a new one. Faults: vm.sample-missing. */
export async function runRecord(
  { spec, folders, ports }: LaunchInput,
  saved: RunRecord | null,
  bootKib: number,
): Promise<RunRecord> {
  if (saved !== null) return relocated(saved, folders);
  const accelerator = await ports.accelerator();
  const sample = spec.boot.kind === 'sample' ? ports.sample() : null;
  if (spec.boot.kind === 'sample' && sample === null) throw new Fault(sampleMissing());
  const sockets = socketsIn(folders.run);
  const isoPath = ports.isoPath(spec);
  const argv = specToArgv({ spec, bootKib, accelerator, sockets, sample, isoPath, incoming: false });
  return { bootKib, accelerator, argv, hasBalloon: spec.balloon, folders };
}

export async function openExports({ spec, folders, ports }: LaunchInput): Promise<void> {
  ports.makePrivateFolder(folders.run);
  const sockets = socketsIn(folders.run);
  for (const [index, disk] of spec.disks.entries()) {
    await ports.storage.openExport(spec.id, disk.id, sockets.disk(index));
  }
}

/** One that fails does not keep the others open. */
export async function closeExports({ spec, ports }: LaunchInput): Promise<void> {
  for (const disk of spec.disks) {
    await ports.storage.closeExport(spec.id, disk.id).catch((cause: unknown) => {
      ports.log(`vm ${spec.id}: closing the export of ${disk.id}: ${String(cause)}`);
    });
  }
}
