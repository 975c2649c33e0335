// Composition, the part about moments: what control keeps beside a moment's points, and the clocks of guests
// whose time stood still.

import type { VmId } from '../../../shared/ids.ts';
import { systemClock } from '../../platform/clock.ts';
import { renameDurably } from '../../platform/json-file.ts';
import { systemRandom } from '../../platform/random.ts';
import { smallFiles } from '../../platform/small-files.ts';
import { isSame, linkFile, removeLarge } from '../../platform/vm-files.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Audit } from '../audit/audit.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import type { MemoryManager } from '../memory/manager.ts';
import { MomentDesk } from '../moments/desk.ts';
import { ExtrasShelf } from '../moments/extras.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { setGuestTime } from '../qga/commands.ts';
import { Thumbnails } from '../screens/thumbnails.ts';
import { restoredSpec } from '../setup/restored.ts';
import type { VmSupervisor } from '../vm/supervisor-port.ts';
import { delay } from '../vm/wait.ts';
import { goBackFinished } from './audit.ts';
import type { ControlInput } from './compose.ts';

export interface MomentParts {
  readonly storage: StorageClient;
  readonly machines: Machines;
  readonly memory: Pick<MemoryManager, 'checkRange'>;
  readonly desk: Pick<PolicyDesk, 'policy'>;
  readonly audit: Audit;
}

export function momentParts({ paths, log }: ControlInput, parts: MomentParts) {
  const { storage, machines, memory, desk, audit } = parts;
  const folders = machineFolders(paths);
  const shelf = new ExtrasShelf({
    home: folders.home,
    ...smallFiles,
    isSame,
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
    ...smallFiles,
    uuid: systemRandom.uuid,
    restoreSetup: (vmId, then) =>
      machines.update(
        restoredSpec(machines.spec(vmId), then, desk.policy, range => memory.checkRange(range)),
      ),
    forgetVars: folders.forgetUefiVars,
    freeBytes: folders.freeBytes,
    runFolder: folders.run,
    requireAllowed: () => desk.policy.require('history.goBack'),
    tell: goBackFinished(audit, machines),
    log,
  });
  const thumbnails = new Thumbnails({
    clock: systemClock,
    qmp: vmId => machines.supervisor(vmId).reached()?.qmp ?? null,
    runFolder: folders.run,
    ...smallFiles,
    log,
  });
  const ready = (vmId: VmId): Promise<void> => moments.goingBack.finish(vmId);
  return { shelf, moments, thumbnails, ready };
}

/** Sets the clock of a guest whose time stood still: the VM was suspended, or this computer slept. */
export function setClock(supervisor: VmSupervisor): void {
  const reached = supervisor.reached();
  if (reached !== null) void setGuestTime(reached.agent, systemClock, ms => delay(systemClock, ms));
}

/** Sets the clocks of all guests, after this computer slept. */
export function setClocks(machines: Machines): void {
  for (const { spec } of machines.list()) setClock(machines.supervisor(spec.id));
}
