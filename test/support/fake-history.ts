// Histories of the make-believe VMs. Development only.
import { configurationOf } from '../../shared/configuration.ts';
import type { MomentId, PointId } from '../../shared/ids.ts';
import type { MomentExtras } from '../../shared/moment-extras.ts';
import type { Moment } from '../../shared/timeline.ts';
import { MIB } from '../../shared/units.ts';
import { type FakeVm, fakeId } from './fake-world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface MomentWish {
  readonly name?: string;
  readonly after: MomentId | null;
  readonly at: number;
  readonly bytes: number;
  readonly kind?: Moment['kind'];
  readonly pinned?: boolean;
  readonly note?: string;
  readonly kept?: string;
  readonly root?: boolean;
  readonly extras?: MomentExtras;
}

export function addMoment(vm: FakeVm, wish: MomentWish): Moment {
  const moment: Moment = {
    id: fakeId() as MomentId,
    parentId: wish.after,
    name: wish.name ?? '',
    note: wish.note ?? '',
    kind: wish.kind ?? 'automatic',
    pinned: wish.pinned ?? false,
    takenAt: wish.at,
    trashedAt: null,
    points: vm.timeline.disks.map(disk => ({
      diskId: disk.id,
      pointId: fakeId() as PointId,
      virtualBytes: disk.virtualBytes,
      form: wish.root === true ? ('root' as const) : ('delta' as const),
      allocatedBytes: wish.bytes,
    })),
    allocatedBytes: wish.bytes,
    freesBytes: wish.kept === undefined ? wish.bytes : null,
    keptBecause: wish.kept ?? null,
    ...(wish.extras === undefined ? {} : { extras: wish.extras }),
  };
  vm.timeline = { ...vm.timeline, moments: [...vm.timeline.moments, moment], nowParentId: moment.id };
  return moment;
}

/** The history of the mock: a week, a long gap, two branches, a pin. */
export function richHistory(vm: FakeVm, now: number): void {
  const morning = now - (now % DAY) + 8 * HOUR;
  const at = (days: number, hours: number): number => morning - days * DAY + hours * HOUR;
  const add = (wish: MomentWish): MomentId => addMoment(vm, wish).id;
  let last = add({ name: 'Imported', kind: 'imported', after: null, at: at(7, 0), bytes: 700 * MIB });
  last = add({ after: last, at: at(7, 3), bytes: 60 * MIB });
  last = add({ after: last, at: at(7, 6), bytes: 70 * MIB });
  const install = add({
    name: 'clean install',
    kind: 'manual',
    after: last,
    at: at(3, 1),
    bytes: 1300 * MIB,
  });
  last = add({ after: install, at: at(3, 5), bytes: 40 * MIB });
  const wayland = add({ after: install, at: at(3, 4), bytes: 90 * MIB });
  add({ name: 'try wayland', kind: 'manual', after: wayland, at: at(3, 8), bytes: 320 * MIB });
  last = add({ after: last, at: at(3, 9), bytes: 55 * MIB });
  last = add({ after: last, at: at(1, 0), bytes: 190 * MIB });
  const update = add({
    name: 'before update',
    note: 'kernel 6.12 tonight',
    kind: 'manual',
    pinned: true,
    after: last,
    at: at(1, 4),
    bytes: 1229 * MIB,
    extras: {
      consistency: 'memory',
      memoryBytes: 640 * MIB,
      hasScreen: true,
      configuration: { ...configurationOf(vm.summary.spec), cpus: 8, network: 'isolated' },
    },
  });
  add({ name: 'Thu 10:41', kind: 'kept', after: update, at: at(1, 9), bytes: 240 * MIB });
  last = add({ after: update, at: at(0, -3), bytes: 70 * MIB });
  last = add({ after: last, at: at(0, 0), bytes: 64 * MIB });
  const sealed = add({
    name: 'before lunch',
    kind: 'manual',
    after: last,
    at: now - 40 * 60_000,
    bytes: 180 * MIB,
  });
  const newest = add({
    name: '13:00',
    kind: 'manual',
    after: sealed,
    at: now - 20 * 60_000,
    bytes: 430 * MIB,
    root: true,
    kept: 'It is the newest image: Now stands on it.',
  });
  vm.timeline = { ...vm.timeline, nowParentId: newest, nowBytes: 410 * MIB };
  startReversal(vm, sealed, newest);
}

export function startReversal(vm: FakeVm, from: MomentId, to: MomentId): void {
  const disk = vm.timeline.disks[0];
  if (disk === undefined) return;
  vm.timeline = {
    ...vm.timeline,
    settle: {
      state: 'settling',
      isPaused: false,
      isHeld: false,
      pendingEdges: 1,
      compact: vm.timeline.settle.compact,
      last: null,
      reason: null,
      work: null,
      reversal: {
        diskId: disk.id,
        fromMomentId: from,
        toMomentId: to,
        phase: 'copy',
        blocksDone: 0,
        blocksTotal: 220,
        bytesDone: 0,
        bytesTotal: 430 * MIB,
        bytesPerSecond: 14 * MIB,
        batches: 0,
      },
    },
  };
}
