// Composition, the part about points: the parts of control that work on points.
import { fileURLToPath } from 'node:url';
import type { VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { systemClock } from '../../platform/clock.ts';
import { makePrivateFolder, readJson, readText, removeFile, writeJson } from '../../platform/json-file.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import { realFolder } from '../../platform/policy-files.ts';
import {
  canStopTools,
  endProcess,
  findProgram,
  isAlive,
  nodeProgram,
  runToFile,
  runTool,
  spawnTied,
} from '../../platform/process.ts';
import { systemRandom } from '../../platform/random.ts';
import {
  fileExists,
  freeBytesAt,
  isNameTaken,
  listFolder,
  lookAtFile,
  moveDurably,
  readBytes,
  removeEmptyFolder,
  removeFolder,
  writeBytes,
} from '../../platform/vm-files.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { ImportPorts } from '../imports/import-ports.ts';
import { stampVhd } from '../imports/vhd-reader.ts';
import { Cloner } from '../machines/clone.ts';
import { Drives } from '../machines/drives.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import { PointFiles } from '../point-files/desk.ts';
import { MOUNT } from '../point-files/mount.ts';
import { DeltaExporter } from '../points/delta-export.ts';
import { DeltaImporter } from '../points/delta-import.ts';
import type { ExportPorts } from '../points/export-point.ts';
import { PointServer } from '../points/point-server.ts';
import { PointWriter } from '../points/point-writer.ts';
import { HistoryChecks } from '../points/verify.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { vhdReaderModule } from '../programs.ts';
import { Unfinished } from '../tasks/unfinished.ts';
import type { ControlInput } from './compose.ts';

const clock = systemClock;

export const imports: ImportPorts = {
  program: findProgram,
  node: nodeProgram,
  vhdReader: () => fileURLToPath(vhdReaderModule),
  runTool,
  canStopTools,
  look: lookAtFile,
  readBytes,
};

function cloner(input: ControlInput, storage: StorageClient, machines: Machines): Cloner {
  const folders = machineFolders(input.paths);
  return new Cloner({
    machines,
    storage,
    folders,
    program: findProgram,
    runTool,
    canStopTools,
    readerSocket: readerSocket(input),
    clock,
    random: systemRandom,
  });
}

const readerSocket = (input: ControlInput) => (vmId: VmId) => {
  const folder = machineFolders(input.paths).run(vmId);
  makePrivateFolder(folder);
  return `${folder}/r-${systemRandom.uuid().slice(0, 8)}`;
};

const unfinished = ({ dataFolder }: EbbPaths): Unfinished =>
  new Unfinished({ path: `${dataFolder}/unfinished.json`, readJson, writeJson, remove: removeFile });

/** Clears away what a dead control left: half-written files, points looked into, CD copies in no drive. */
export async function sweepLeftOver(
  paths: EbbPaths,
  { pointFiles, drives }: { readonly pointFiles: PointFiles; readonly drives: Drives },
  log: Log,
): Promise<void> {
  for (const path of unfinished(paths).sweep()) log(`unfinished since the last time, removed: ${path}`);
  void pointFiles.sweep(paths.runFolder).catch((cause: unknown) => log(`mounts left over: ${String(cause)}`));
  await drives.sweep();
}

const exportPorts = ({ paths }: ControlInput): ExportPorts & { exportsFolder: () => string } => ({
  program: findProgram,
  runTool,
  canStopTools,
  exists: isNameTaken,
  real: realFolder,
  look: lookAtFile,
  freeBytes: folder => (fileExists(folder) ? freeBytesAt(folder) : null),
  moveInto: moveDurably,
  remove: removeFolder,
  stampVhd: (path, uuid) => stampVhd(path, uuid, imports),
  unfinished: unfinished(paths),
  exportsFolder: () => {
    makePrivateFolder(`${paths.dataFolder}/exports`);
    return `${paths.dataFolder}/exports`;
  },
});

const day = (): string => new Intl.DateTimeFormat('sv-SE').format(clock.wallMs());

/** The parts of control that work on points. */
export function historyParts(
  input: ControlInput,
  storage: StorageClient,
  machines: Machines,
  desk: Pick<PolicyDesk, 'policy'>,
) {
  const exporting = { ...exportPorts(input), storage };
  return {
    pointWriter: new PointWriter({
      ...exporting,
      readerSocket: readerSocket(input),
      day,
    }),
    pointServer: new PointServer({
      storage,
      readerSocket: readerSocket(input),
      exists: fileExists,
      requireAllowed: () => desk.policy.require('export.serve'),
      log: input.log,
    }),
    cloner: cloner(input, storage, machines),
    drives: new Drives({
      machines,
      folders: machineFolders(input.paths),
      look: lookAtFile,
      random: systemRandom,
      log: input.log,
    }),
    pointFiles: new PointFiles({
      ...exporting,
      files: exporting,
      clock,
      runToFile,
      spawnTied: (command, args, log) => spawnTied(command, args, log, 'TERM'),
      isAlive,
      end: endProcess,
      readText,
      readJson,
      writeJson,
      writeBytes,
      listFolder,
      log: input.log,
      removeTree: removeFolder,
      removeEmptyFolder,
      newFolder: () => {
        const folder = `${input.paths.runFolder}/${MOUNT}${systemRandom.uuid().slice(0, 8)}`;
        makePrivateFolder(folder);
        return folder;
      },
      readerSocket: readerSocket(input),
      makeFolder: makePrivateFolder,
    }),
    day,
    deltaExporter: new DeltaExporter(exporting),
    deltaImporter: new DeltaImporter({
      ...imports,
      storage,
      freeBytes: machineFolders(input.paths).freeBytes,
      readerSocket: readerSocket(input),
    }),
    checks: new HistoryChecks(storage, clock),
  };
}
