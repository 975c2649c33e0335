// Composition, the part about automatic history: its desk, and whether this computer runs on battery.
import type { VmId } from '../../../shared/ids.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import { localOffsetMs, systemClock } from '../../platform/clock.ts';
import { readPower } from '../../platform/power.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Audit } from '../audit/audit.ts';
import { HistoryDesk } from '../history/desk.ts';
import type { Power } from '../history/due.ts';
import { openHistoryStore } from '../history/store.ts';
import { machineFolders } from '../machines/machine-folders.ts';
import type { Machines } from '../machines/machines.ts';
import type { MomentDesk } from '../moments/desk.ts';
import type { PointServer } from '../points/point-server.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import {
  boundSchedule,
  changeSpacingMs,
  heldDays,
  isForced,
  wantedSchedule,
} from '../policy/history-rules.ts';
import type { Catalog } from '../store/catalog.ts';
import type { TaskJournal } from '../store/task-journal.ts';
import { pointsReadBy } from '../tasks/task-orders.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { ebbDeleting } from './audit.ts';
import type { ControlInput } from './compose.ts';

interface HistoryDeskParts {
  readonly catalog: Catalog;
  readonly storage: StorageClient;
  readonly machines: Machines;
  readonly moments: MomentDesk;
  readonly desk: PolicyDesk;
  readonly tasks: Tasks;
  readonly journal: TaskJournal;
  readonly pointServer: PointServer;
  readonly topics: Topics<Contract>;
  readonly audit: Audit;
}

/** The power as the computer tells it; where it tells nothing, as a shell told it. */
function powerTold() {
  let isOnBattery = false;
  return {
    power: (): Power => readPower() ?? { isOnBattery, percent: null },
    tell: (told: boolean): void => {
      isOnBattery = told;
    },
  };
}

export function historyDesk({ paths, log }: ControlInput, parts: HistoryDeskParts) {
  const { catalog, storage, machines, moments, desk, tasks, journal, pointServer, topics, audit } = parts;
  const { power, tell } = powerTold();
  const opened = async (vmId: VmId): Promise<VmId> => {
    // A VM that was deleted meanwhile must not get an empty folder.
    machines.spec(vmId);
    await machines.open(vmId);
    return vmId;
  };
  const histories: HistoryDesk = new HistoryDesk({
    clock: systemClock,
    zone: localOffsetMs,
    store: openHistoryStore(catalog.db),
    checkVm: vmId => void machines.spec(vmId),
    vms: () => machines.kept().map(({ spec }) => spec.id),
    rules: {
      bound: schedule => boundSchedule(schedule, desk.policy),
      wanted: (wanted, stored) => wantedSchedule(wanted, stored, desk.policy),
      heldDays: () => heldDays(desk.policy),
      isForced: () => isForced(desk.policy),
    },
    changeSpacingMs: () => changeSpacingMs(desk.policy),
    isThere: vmId => catalog.get(vmId) !== undefined,
    isTrashed: machineFolders(paths).isTrashed,
    isRunning: vmId => machines.get(vmId).state.phase === 'running',
    isBusy: vmId => tasks.isBusy(vmId),
    inUse: () =>
      new Set([...pointServer.points(), ...journal.all().flatMap(({ order }) => pointsReadBy(order))]),
    power,
    timeline: async vmId => storage.call('timeline.get', { vmId: await opened(vmId) }),
    cost: (vmId, momentId) => storage.call('moment.cost', { vmId, momentId }),
    drop: async (vmId, momentId) => void (await storage.call('moment.delete', { vmId, momentId })),
    thinning: ebbDeleting(audit, catalog, 'history.thinned'),
    holdSettling: (vmId, isHeld) => storage.holdSettling(vmId, isHeld),
    changedBytes: async (vmId, fromId) => {
      const { disks } = await storage.call('moment.compare', { vmId, fromId, toId: null });
      return disks.reduce((sum, { difference }) => sum + difference.bytes, 0);
    },
    take: vmId => moments.take({ vmId, name: '', note: '', kind: 'automatic' }, null),
    changed: () => topics.publish('histories', null, { histories: histories.all() }),
    log,
  });
  desk.onChange(() => topics.publish('histories', null, { histories: histories.all() }));
  const onPower = (isOnBattery: boolean): void => {
    tell(isOnBattery);
    void histories.look();
  };
  return { histories, onPower };
}
