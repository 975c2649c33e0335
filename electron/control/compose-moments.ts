// Composition, the part about moments: what control keeps beside their points, and clocks of guests that stood still.

import type { VmId } from '../../shared/ids.ts';
import { systemClock } from '../platform/clock.ts';
import {
  makePrivateFolder,
  readJson,
  removeFile,
  removeTree,
  renameDurably,
  writeJson,
} from '../platform/json-file.ts';
import { systemRandom } from '../platform/random.ts';
import {
  bytesOf,
  copyDurably,
  fileExists,
  linkFile,
  listFolder,
  readWhole,
  removeLarge,
} from '../platform/vm-files.ts';
import type { StorageClient } from '../storage/client.ts';
import type { ControlInput } from './compose.ts';
import { machineFolders } from './machine-folders.ts';
import type { Machines } from './machines.ts';
import { MomentDesk } from './moments/desk.ts';
import { ExtrasShelf } from './moments/extras.ts';
import { setGuestTime } from './qga/commands.ts';
import type { VmSupervisor } from './vm/supervisor-port.ts';
import { delay } from './vm/wait.ts';

export function momentParts({ paths, log }: ControlInput, storage: StorageClient, machines: Machines) {
  const folders = machineFolders(paths);
  const shelf = new ExtrasShelf({
    home: folders.home,
    readJson,
    writeJson,
    listFolder,
    makePrivateFolder,
    exists: fileExists,
    copyDurably,
    removeTree,
    removeLarge,
    rename: renameDurably,
    link: linkFile,
    uuid: systemRandom.uuid,
  });
  const moments = new MomentDesk({
    machines,
    storage,
    shelf,
    home: folders.home,
    readJson,
    writeJson,
    uuid: systemRandom.uuid,
    freeBytes: folders.freeBytes,
    bytesOf,
    readFile: readWhole,
    removeFile,
    runFolder: folders.run,
    log,
  });
  return { shelf, moments, ready: (vmId: VmId): Promise<void> => moments.goingBack.finish(vmId) };
}

/** Its guest's time stood still while it was suspended, or while this computer slept. */
export function setClock(supervisor: VmSupervisor): void {
  const reached = supervisor.reached();
  if (reached !== null) void setGuestTime(reached.agent, systemClock, ms => delay(systemClock, ms));
}

/** This computer slept, and its guests with it. */
export function setClocks(machines: Machines): void {
  for (const { spec } of machines.list()) setClock(machines.supervisor(spec.id));
}
