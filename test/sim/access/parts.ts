// The real parts of control that make VMs, set them up and keep their history, over a computer without disks.
import type Database from 'better-sqlite3';
import { HistoryDesk, type HistoryDeskPorts } from '../../../electron/control/history/desk.ts';
import { openHistoryStore } from '../../../electron/control/history/store.ts';
import type { Machines, MachinesPorts } from '../../../electron/control/machines/machines.ts';
import type { PolicyDesk } from '../../../electron/control/policy/desk.ts';
import {
  boundSchedule,
  heldDays,
  isForced,
  wantedSchedule,
} from '../../../electron/control/policy/history-rules.ts';
import { OrderRules } from '../../../electron/control/policy/order-rules.ts';
import type { Policy } from '../../../electron/control/policy/policy.ts';
import type { ServiceParts } from '../../../electron/control/service.ts';
import { SetupDesk, type SetupPorts } from '../../../electron/control/setup/desk.ts';
import type { TaskRun } from '../../../electron/control/tasks/tasks.ts';
import type { Clock } from '../../../electron/platform/ports.ts';
import { taskIdSchema } from '../../../shared/ids.ts';
import { uuid } from '../../support/memory-world.ts';

export const NO_DISKS = {
  storage: {
    call: async (_: string, params: unknown) => params,
    openVm: async () => ({ disks: [] }),
    closeVm: async () => undefined,
  },
  folders: {
    home: () => '/home',
    run: () => '/run',
    freeBytes: () => Number.MAX_SAFE_INTEGER,
    beginMaking: () => undefined,
    endMaking: () => undefined,
    remove: () => undefined,
    isTrashed: () => false,
  },
} as unknown as Pick<MachinesPorts, 'storage' | 'folders'>;

export interface PartsPorts {
  readonly db: Database.Database;
  readonly clock: Clock;
  readonly desk: PolicyDesk;
  readonly machines: Machines;
  /** The policy that bounds what is in force. */
  readonly policy: () => Policy;
}

export class Parts {
  readonly histories: HistoryDesk;
  readonly all: Partial<ServiceParts>;
  /** The work of the newest task. */
  #work: Promise<void> = Promise.resolve();

  constructor({ db, clock, desk, machines, policy }: PartsPorts) {
    this.histories = new HistoryDesk({
      clock,
      zone: () => 0,
      store: openHistoryStore(db),
      checkVm: vmId => void machines.spec(vmId),
      vms: () => machines.list().map(({ spec }) => spec.id),
      rules: {
        bound: schedule => boundSchedule(schedule, policy()),
        wanted: (wanted, stored) => wantedSchedule(wanted, stored, policy()),
        heldDays: () => heldDays(policy()),
        isForced: () => isForced(policy()),
      },
      changed: () => undefined,
    } as Partial<HistoryDeskPorts> as HistoryDeskPorts);
    const setup = new SetupDesk({
      machines,
      parts: { swtpm: () => null, firmware: () => null },
      portState: async () => 'free',
    } as Partial<SetupPorts> as SetupPorts);
    const rules = new OrderRules({
      policy: () => desk.policy,
      real: path => path,
      uploadFolder: '/uploads',
      exportsFolder: '/exports',
    });
    const tasks = {
      start: ({ work }: { readonly work: (run: TaskRun) => Promise<void> }) => {
        this.#work = work({ step: () => undefined, signal: AbortSignal.any([]) } as unknown as TaskRun);
        this.#work.catch(() => undefined);
        return taskIdSchema.parse(uuid(1));
      },
    };
    this.all = { machines, histories: this.histories, setup, rules, tasks } as unknown as ServiceParts;
  }

  /** Whether the newest task was carried out, once it has ended. */
  async isWorkDone(): Promise<boolean> {
    return this.#work.then(
      () => true,
      () => false,
    );
  }
}
