// Automatic history of the make-believe VMs: the real desk over their timelines. Development only.
import Database from 'better-sqlite3';
import { HistoryDesk } from '../../electron/control/history/desk.ts';
import { CHANGE_SPACING_MS } from '../../electron/control/history/due.ts';
import { openHistoryStore } from '../../electron/control/history/store.ts';
import { localOffsetMs, systemClock } from '../../electron/platform/clock.ts';
import { DEFAULT_SCHEDULE } from '../../shared/history.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { addMoment } from './fake-history.ts';
import type { FakeControl } from './fake-service.ts';

export function fakeHistoryDesk(control: FakeControl): HistoryDesk {
  const timelineOf = (vmId: VmId) => control.vm(vmId).timeline;
  const publish = (vmId: VmId): void => control.topics.publish('timeline', vmId, timelineOf(vmId));
  const desk: HistoryDesk = new HistoryDesk({
    clock: systemClock,
    zone: localOffsetMs,
    store: openHistoryStore(new Database(':memory:')),
    checkVm: vmId => void control.vm(vmId),
    vms: () => control.world.vms.map(vm => vm.summary.spec.id),
    rules: {
      bound: schedule => schedule,
      wanted: schedule => schedule,
      heldDays: () => 0,
      isForced: () => false,
    },
    isThere: vmId => control.world.vms.some(vm => vm.summary.spec.id === vmId),
    isTrashed: () => false,
    isRunning: () => true,
    isBusy: () => false,
    inUse: () => new Set(),
    holdSettling: () => Promise.resolve(),
    power: () => ({ isOnBattery: false, percent: null }),
    changeSpacingMs: () => CHANGE_SPACING_MS,
    timeline: vmId => Promise.resolve(timelineOf(vmId)),
    cost: (_, momentId) => Promise.resolve(costOf(control, momentId)),
    thinning: () => () => undefined,
    drop: (vmId, momentId) => {
      trash(control, vmId, momentId);
      publish(vmId);
      return Promise.resolve();
    },
    changedBytes: vmId => Promise.resolve(timelineOf(vmId).nowBytes),
    take: vmId => {
      const { nowParentId, nowBytes } = timelineOf(vmId);
      const moment = addMoment(control.vm(vmId), { after: nowParentId, at: Date.now(), bytes: nowBytes });
      publish(vmId);
      return Promise.resolve(moment);
    },
    changed: () => control.topics.publish('histories', null, { histories: desk.all() }),
    log: line => console.error(line),
  });
  const [first] = control.world.vms;
  if (first !== undefined) desk.set(first.summary.spec.id, { ...DEFAULT_SCHEDULE, isOn: true });
  return desk;
}

function costOf(control: FakeControl, momentId: MomentId) {
  const moment = control.world.vms
    .flatMap(({ timeline }) => timeline.moments)
    .find(({ id }) => id === momentId);
  const allocatedBytes = moment?.allocatedBytes ?? 0;
  return { allocatedBytes, freesNowBytes: 0, freesLaterBytes: allocatedBytes / 2 };
}

function trash(control: FakeControl, vmId: VmId, momentId: MomentId): void {
  const vm = control.vm(vmId);
  const { moments } = vm.timeline;
  const gone = moments.find(({ id }) => id === momentId);
  if (gone === undefined) return;
  const left = moments
    .filter(({ id }) => id !== momentId)
    .map(other => (other.parentId === momentId ? { ...other, parentId: gone.parentId } : other));
  vm.timeline = {
    ...vm.timeline,
    moments: left,
    trash: [...vm.timeline.trash, { ...gone, trashedAt: Date.now() }],
  };
}
