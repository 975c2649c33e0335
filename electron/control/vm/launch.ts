// What a VM needs before its QEMU can be started, and gives back after: the exact arguments and its disks' exports.
import { Fault } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { ProcessId } from '../../platform/process.ts';
import { dropBarrierNote } from './barrier.ts';
import { logPath, overlayPath, recordPath, seedFolder, uefiVarsPath } from './home-files.ts';
import { noFirmware } from './host-parts.ts';
import { type RunRecord, relocated, socketFiles, socketsIn } from './run-record.ts';
import { specToArgv } from './spec-to-argv.ts';
import { sampleMissing } from './supervisor-errors.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { endTpm, startTpm } from './tpm.ts';
import { type Phase, within } from './wait.ts';

/** Storage restarts in seconds and recovers; the other phases have limits of their own. */
const EXPORTS: Phase = { doing: 'Opening the disks', limitMs: 60_000 };

export interface LaunchInput {
  readonly spec: VmSpec;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
}

/** The very machine that was saved (L4), or a new one. Faults: vm.sample-missing, host.unsupported. */
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
  const firmware = firmwareOf({ spec, folders, ports });
  const seed = spec.hasSeed ? seedFolder(folders) : null;
  const overlay = (index: number): string => overlayPath(folders, index);
  const made = { sample, isoPath, firmware, seedFolder: seed, overlay, incoming: false };
  const argv = specToArgv({ spec, bootKib, accelerator, sockets, ...made });
  return {
    bootKib,
    accelerator,
    argv,
    hasBalloon: spec.balloon,
    hasTpm: spec.hasTpm,
    packing: 'plain',
    folders,
  };
}

/** A VM gets its own variables at its first start. Fault host.unsupported where there is no such firmware. */
function firmwareOf({ spec, folders, ports: { parts } }: LaunchInput) {
  if (spec.firmware === 'bios') return null;
  const vars = uefiVarsPath(folders);
  const varsBytes = parts.bytesOf(vars);
  const files = parts.firmware(spec.firmware, varsBytes);
  if (files === null) throw noFirmware(spec.firmware, 'The VM and its disks are untouched.');
  if (varsBytes === null) parts.copyDurably(files.vars, vars);
  return { code: files.code, vars };
}

/** The record is durable before QEMU exists, so that a control that dies here finds it again (M9). */
export async function spawnQemu(
  { folders, ports }: LaunchInput,
  program: string,
  record: RunRecord,
  incoming: boolean,
): Promise<ProcessId> {
  for (const path of socketFiles(folders.run)) ports.removeFile(path);
  // A note left here is of a QEMU that is gone: it must not resume this one, which its owner may pause.
  dropBarrierNote(folders, ports);
  if (record.hasTpm) await startTpm(folders, ports);
  const noted: RunRecord = { ...record, process: undefined, since: ports.clock.wallMs() };
  ports.writeJson(recordPath(folders), noted);
  const argv = incoming ? [...record.argv, '-incoming', 'defer', '-S'] : record.argv;
  const { id } = await ports.spawn(program, argv, logPath(folders));
  ports.writeJson(recordPath(folders), { ...noted, process: id });
  return id;
}

/** `isReopened`: the VM's QEMU runs already. */
export async function openExports({ spec, folders, ports }: LaunchInput, isReopened = false): Promise<void> {
  ports.makePrivateFolder(folders.run);
  const sockets = socketsIn(folders.run);
  for (const [index, disk] of spec.disks.entries()) {
    await ports.storage.openExport(spec.id, disk.id, sockets.disk(index), isReopened);
  }
}

export const openExportsInTime = (launch: LaunchInput): Promise<void> =>
  within(launch.ports.clock, EXPORTS, openExports(launch));

/** QEMU is gone: closes its exports and drops its notes. A disk that fails does not keep the others open. */
export async function giveBack({ spec, folders, ports }: LaunchInput): Promise<void> {
  // A VM has ended, whether or not its disk takes that: adoption knows a note that names no living process.
  const logged = async (doing: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      ports.log(`vm ${spec.id}: ${doing}: ${String(cause)}`);
    }
  };
  await logged('dropping the note of its barrier', () => dropBarrierNote(folders, ports));
  await logged('ending its TPM', () => endTpm(folders, ports));
  for (const disk of spec.disks)
    await logged(`closing the export of ${disk.id}`, () => ports.storage.closeExport(spec.id, disk.id));
  // Last: if control dies before this, the next control does all of it again.
  await logged('dropping its run record', () => ports.removeFile(recordPath(folders)));
}
