// Composition, the part about the trash: what is emptied out of it, and what can be taken back.
import { systemClock } from '../../platform/clock.ts';
import type { Audit } from '../audit/audit.ts';
import { Deleted } from '../machines/deleted.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import { SpecFiles } from '../machines/spec-files.ts';
import { Trash } from '../machines/trash.ts';
import type { MomentDesk } from '../moments/desk.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { trashMs } from '../policy/vm-rules.ts';
import { vmGone } from './audit.ts';
import type { ControlInput } from './compose.ts';

interface TrashParts {
  readonly machines: Machines;
  readonly desk: PolicyDesk;
  readonly moments: MomentDesk;
  readonly audit: Audit;
}

export function trashParts({ paths, log }: ControlInput, { machines, desk, moments, audit }: TrashParts) {
  const folders = machineFolders(paths);
  const keptMs = (): number => trashMs(desk.policy);
  const trash = new Trash({
    clock: systemClock,
    keptMs,
    folders,
    vms: () => machines.kept().map(({ spec }) => spec.id),
    purgePoints: async vmId => {
      await machines.purgeOldTrash(vmId);
      await moments.sweep(vmId);
    },
    removed: vmGone(audit),
    log,
  });
  const files = new SpecFiles(folders, log);
  const deleted = new Deleted({ folders, files, machines, policy: () => desk.policy, keptMs, log });
  return {
    deleted,
    begin: () => {
      deleted.begin();
      trash.begin();
    },
    stop: () => trash.stop(),
  };
}
