// Composition, the part about the trash: what is emptied out of it, what can be taken back, and what comes
// through it from another Ebb.
import { systemClock } from '../../platform/clock.ts';
import { realFolder } from '../../platform/policy-files.ts';
import type { Audit } from '../audit/audit.ts';
import { Adder } from '../machines/adder.ts';
import { arrivals } from '../machines/arrivals.ts';
import { Deleted } from '../machines/deleted.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import { SpecFiles } from '../machines/spec-files.ts';
import { Trash } from '../machines/trash.ts';
import type { MemoryManager } from '../memory/manager.ts';
import type { MomentDesk } from '../moments/desk.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { trashMs } from '../policy/vm-rules.ts';
import type { SetupDesk } from '../setup/desk.ts';
import { vmGone } from './audit.ts';
import type { ControlInput } from './compose.ts';

interface TrashParts {
  readonly machines: Machines;
  readonly desk: PolicyDesk;
  readonly moments: MomentDesk;
  readonly audit: Audit;
  readonly memory: MemoryManager;
  readonly setup: SetupDesk;
  readonly rules: OrderRules;
}

export function trashParts({ paths, log }: ControlInput, parts: TrashParts) {
  const { machines, desk, moments, audit, memory, setup, rules } = parts;
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
  const adder = new Adder({
    arrivals: arrivals(paths.dataFolder),
    machines,
    deleted,
    memory,
    conflicts: (vmId, forwards) => setup.conflicts(vmId, forwards),
    policy: () => desk.policy,
    real: realFolder,
    admit: path => rules.requireFile(path),
    log,
  });
  return {
    deleted,
    adder,
    begin: () => {
      adder.begin();
      deleted.begin();
      trash.begin();
    },
    stop: () => trash.stop(),
  };
}
