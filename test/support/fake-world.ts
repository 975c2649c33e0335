// A make-believe world for looking at the window: VMs, balloons, timelines and one reversal, moved by ticks.
// Development only: it proves nothing about the product. Deterministic: the same ticks give the same world.
import type { DiskId, TaskId, VmId } from '../../shared/ids.ts';
import type { HostMemory, LedgerEntry, MemorySample, VmMemory } from '../../shared/memory.ts';
import { LONG_KINDS, type Task } from '../../shared/task.ts';
import type { Timeline } from '../../shared/timeline.ts';
import { GIB, GIB_KIB, MIB, MIB_KIB } from '../../shared/units.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import type { VmPhase, VmSummary } from '../../shared/vm.ts';
import { PLAIN_SETUP } from '../../shared/vm-setup.ts';
import { addMoment, richHistory } from './fake-history.ts';
import { SETTLE_AT_REST } from './settle-at-rest.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let counter = 0;
export const fakeId = (): string => {
  counter += 1;
  return `00000000-0000-4000-8000-${counter.toString(16).padStart(12, '0')}`;
};

export interface FakeVm {
  summary: VmSummary;
  memory: VmMemory;
  timeline: Timeline;
  samples: MemorySample[];
  /** Its timeline is lost: the images are there. */
  isLost: boolean;
  report: VerifyReport | null;
}
export interface FakeWorld {
  now: number;
  vms: FakeVm[];
  ledger: LedgerEntry[];
  tasks: Task[];
  host: {
    totalKib: number;
    reserveKib: number;
    mode: HostMemory['mode'];
    budgetKib: number | null;
    capKib: number | null;
  };
  /** What somebody asked to be free, and until when. */
  kept: { readonly kib: number; readonly until: number } | null;
  state: HostMemory['state'];
}

interface VmWish {
  readonly name: string;
  readonly os: VmSummary['spec']['os'];
  readonly phase: VmPhase;
  readonly min: number;
  readonly max: number;
  readonly actual?: number;
  readonly target?: number;
  readonly used?: number;
  readonly balloon?: VmMemory['balloon'];
  readonly sinceMs?: number;
  readonly accelerator?: 'kvm' | 'tcg';
  readonly diskGib?: number;
}

const isOn = (phase: VmPhase): boolean => phase === 'running' || phase === 'paused';

export function makeVm(wish: VmWish, now: number): FakeVm {
  const id = fakeId() as VmId;
  const diskId = fakeId() as DiskId;
  const on = isOn(wish.phase);
  const gib = (value: number | undefined): number | null =>
    on && value !== undefined ? Math.round(value * GIB_KIB) : null;
  const virtualBytes = (wish.diskGib ?? 40) * GIB;
  return {
    summary: {
      spec: {
        id,
        name: wish.name,
        os: wish.os,
        cpus: 2,
        minKib: wish.min * GIB_KIB,
        maxKib: wish.max * GIB_KIB,
        weight: 100,
        balanced: true,
        balloon: wish.balloon !== 'no-driver',
        disks: [{ id: diskId, virtualBytes }],
        boot: { kind: wish.os === 'linux' ? 'sample' : 'disk' },
        network: 'user',
        portForwards: on ? [{ protocol: 'tcp', hostPort: 2222, guestPort: 22 }] : [],
        ...PLAIN_SETUP,
        createdAt: now - 30 * DAY + counter * 1000,
      },
      state: {
        phase: wish.phase,
        detail: '',
        since: now - (wish.sinceMs ?? 3 * HOUR),
        pid: on ? 4000 + counter : null,
        accelerator: on ? (wish.accelerator ?? 'kvm') : null,
        guestUp: wish.phase === 'running' && wish.balloon !== 'no-driver',
        coming: wish.phase === 'running' && wish.balloon === 'no-driver' ? 'silent' : null,
        error:
          wish.phase === 'failed'
            ? {
                code: 'vm.start-failed',
                what: `QEMU ended 0.4 s after it was started for ${wish.name}: "could not set up host forwarding rule tcp::2222-:22".`,
                safe: 'The disk and all points are untouched.',
                todo: 'Another program uses port 2222: stop it or remove the port forward, then start again.',
              }
            : null,
      },
    },
    memory: {
      vmId: id,
      minKib: wish.min * GIB_KIB,
      maxKib: wish.max * GIB_KIB,
      bootKib: on ? wish.max * GIB_KIB : null,
      targetKib: gib(wish.target),
      actualKib: gib(wish.actual),
      residentKib: gib(wish.actual),
      usedKib: gib(wish.used),
      overheadKib: on ? 180 * MIB_KIB : 0,
      committedKib: 0,
      balloon: on ? (wish.balloon ?? 'obeying') : 'off',
      weight: 100,
      balanced: true,
    },
    timeline: {
      vmId: id,
      disks: [{ id: diskId, virtualBytes, allocatedBytes: 3 * GIB, depth: on ? 2 : 1, poisoned: null }],
      moments: [],
      trash: [],
      nowParentId: null,
      nowBytes: 212 * MIB,
      settle: SETTLE_AT_REST,
      freeBytes: 210 * GIB,
    },
    samples: [],
    isLost: false,
    report: null,
  };
}

export function fakeWorld(kind: string, now: number): FakeWorld {
  const host = {
    totalKib: 16 * GIB_KIB,
    reserveKib: 4 * GIB_KIB,
    mode: 'demand' as const,
    budgetKib: null,
    capKib: null,
  };
  const world: FakeWorld = { now, vms: [], ledger: [], tasks: [], host, kept: null, state: 'ok' };
  if (kind === 'empty') return world;
  const accelerator = kind === 'slow' ? ('tcg' as const) : ('kvm' as const);
  const make = (wish: VmWish): FakeVm => {
    const vm = makeVm({ accelerator, ...wish }, now);
    world.vms.push(vm);
    return vm;
  };
  const dev = make({
    name: 'dev',
    os: 'linux',
    phase: 'running',
    min: 2,
    max: 8,
    actual: 3.9,
    target: 4.5,
    used: 3.1,
  });
  make({
    name: 'work',
    os: 'windows',
    phase: 'running',
    min: 1.5,
    max: 4,
    actual: 3,
    target: 3,
    used: 2.2,
    sinceMs: 41 * 60_000,
  });
  make({
    name: 'legacy',
    os: 'windows',
    phase: 'running',
    min: 1,
    max: 2,
    actual: 2,
    target: 1.4,
    used: 1.1,
    balloon: 'refusing',
    sinceMs: 2 * DAY,
  });
  make({ name: 'win11', os: 'windows', phase: 'suspended', min: 3, max: 8, sinceMs: DAY });
  const router = make({ name: 'router', os: 'bsd', phase: 'failed', min: 0.5, max: 1 });
  putDisc(router, 'OPNsense-24.7-dvd-amd64.iso');
  make({ name: 'fileserver', os: 'linux', phase: 'off', min: 0.5, max: 2 }).isLost = true;
  make({
    name: 'build-arm with a very long name that goes on and on',
    os: 'linux',
    phase: 'off',
    min: 1,
    max: 4,
  });
  make({
    name: 'no-driver',
    os: 'other',
    phase: 'running',
    min: 0.5,
    max: 0.5,
    actual: 0.5,
    target: 0.5,
    balloon: 'no-driver',
  });
  richHistory(dev, now);
  for (const vm of world.vms.slice(1, 5)) {
    const first = addMoment(vm, {
      name: 'Imported',
      kind: 'imported',
      after: null,
      at: now - 9 * DAY,
      bytes: 900 * MIB,
    });
    addMoment(vm, {
      name: 'works',
      kind: 'manual',
      after: first.id,
      at: now - 2 * DAY,
      bytes: 300 * MIB,
      root: true,
    });
  }
  fillPast(world);
  return world;
}

function putDisc(vm: FakeVm, label: string): void {
  const boot = { kind: 'iso', isoName: 'installer.iso', label } as const;
  vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, boot } };
}

/** Ten minutes of samples and the ledger that explains them. */
function fillPast(world: FakeWorld): void {
  const [dev, work, legacy] = world.vms;
  if (dev === undefined || work === undefined || legacy === undefined) return;
  const gib = (value: number): number => Math.round(value * GIB_KIB);
  for (let second = 600; second > 0; second -= 5) {
    const ago = 600 - second;
    const target = ago < 170 ? 6.4 : ago < 390 ? 3.4 : 4.5;
    const actual =
      ago < 170
        ? 6.4
        : ago < 230
          ? 6.4 - ((ago - 170) / 60) * 3
          : ago < 390
            ? 3.4
            : Math.min(3.9, 3.4 + (ago - 390) / 60);
    const used = 2.9 + 0.3 * Math.sin(ago / 37) + 0.1 * Math.sin(ago / 7);
    dev.samples.push({
      at: world.now - second * 1000,
      targetKib: gib(target),
      actualKib: gib(actual),
      usedKib: gib(used),
    });
  }
  const tell = (
    minutes: number,
    cause: string,
    text: string,
    moves: LedgerEntry['moves'],
    result: LedgerEntry['result'],
  ): void => {
    world.ledger.unshift({
      seq: world.ledger.length,
      at: world.now - minutes * 60_000,
      cause,
      text,
      moves,
      result,
    });
  };
  const move = (
    vm: FakeVm,
    from: number,
    to: number,
    kind: 'take' | 'give',
  ): LedgerEntry['moves'][number] => ({
    vmId: vm.summary.spec.id,
    vmName: vm.summary.spec.name,
    fromKib: gib(from),
    toKib: gib(to),
    kind,
  });
  tell(
    7.2,
    'start',
    'work started and needed 3 GiB: dev 6.4 → 3.4 GiB. Everyone sits at 58 % of their range.',
    [move(dev, 6.4, 3.4, 'take'), move(work, 0, 3, 'give')],
    'done',
  );
  tell(
    3.5,
    'demand',
    'legacy used 1.1 of its 2 GiB, so its balloon was asked for 0.6 GiB and dev may have it: it was reading from swap at 14 MiB/s.',
    [move(legacy, 2, 1.4, 'take'), move(dev, 3.4, 4.5, 'give')],
    'asked',
  );
  tell(
    1,
    'slow',
    'dev has 3.9 of the 4.5 GiB it was given; legacy is still returning 0.6 GiB. Nothing is lost; others are planned around it.',
    [move(legacy, 2, 1.4, 'take'), move(dev, 3.9, 4.5, 'give')],
    'slow',
  );
}

const heldBy = ({ actualKib, targetKib, bootKib, overheadKib }: VmMemory): number =>
  bootKib === null ? 0 : Math.max(actualKib ?? bootKib, targetKib ?? 0) + overheadKib;

export function hostOf(world: FakeWorld): HostMemory {
  const vms = world.vms.map(({ memory }) => ({ ...memory, committedKib: heldBy(memory) }));
  const committedKib = vms.reduce((sum, vm) => sum + vm.committedKib, 0);
  const budgetKib = world.host.budgetKib ?? world.host.totalKib - world.host.reserveKib;
  const availableKib = Math.max(0, world.host.totalKib - committedKib - GIB_KIB);
  // VMs hold what they were asked to shrink to, and leave the rest of the budget alone.
  const heldKib = vms.reduce(
    (sum, vm) => sum + (vm.targetKib === null ? 0 : vm.targetKib + vm.overheadKib),
    0,
  );
  const withheldKib = world.kept === null ? 0 : Math.max(0, budgetKib - heldKib);
  return {
    totalKib: world.host.totalKib,
    availableKib,
    reserveKib: world.host.reserveKib,
    budgetKib,
    capKib: world.host.capKib,
    committedKib,
    leasedKib: 0,
    freeKib: Math.max(0, budgetKib - withheldKib - committedKib),
    ownKib: 210 * MIB_KIB,
    compressionRatio: 0.42,
    mode: world.host.mode,
    state: world.state,
    freeUntil: world.kept?.until ?? null,
    freePromisedKib: world.kept?.kib ?? null,
    freeWithheldKib: withheldKib,
    planAgeMs: 900,
    vms,
  };
}

/** One second passes: balloons move, the reversal goes on. Answers which timelines changed. */
export function tick(world: FakeWorld, ms: number): VmId[] {
  world.now += ms;
  if (world.kept !== null && world.kept.until <= Date.now()) world.kept = null;
  const changed: VmId[] = [];
  for (const vm of world.vms) {
    const { memory } = vm;
    if (memory.actualKib !== null && memory.targetKib !== null) {
      const away = memory.targetKib - memory.actualKib;
      const step = memory.balloon === 'refusing' || memory.balloon === 'no-driver' ? 0 : 160 * MIB_KIB;
      const actualKib = memory.actualKib + Math.sign(away) * Math.min(Math.abs(away), step);
      vm.memory = { ...memory, actualKib };
    }
    const { reversal, state } = vm.timeline.settle;
    if (reversal === null || state !== 'settling') continue;
    changed.push(vm.summary.spec.id);
    const blocksDone = Math.min(reversal.blocksTotal, reversal.blocksDone + Math.round((7 * ms) / 1000));
    const settle =
      reversal.blocksDone >= reversal.blocksTotal
        ? { ...vm.timeline.settle, state: 'rest' as const, pendingEdges: 0, work: null, reversal: null }
        : {
            ...vm.timeline.settle,
            reversal: {
              ...reversal,
              blocksDone,
              bytesDone: Math.round((blocksDone / reversal.blocksTotal) * reversal.bytesTotal),
              batches: reversal.batches + 1,
            },
          };
    vm.timeline = { ...vm.timeline, settle };
  }
  return changed;
}

const NOT_YET = { bytesDone: null, bytesTotal: null, progress: null, endedAt: null } as const;
export const fakeTask = (kind: Task['kind'], title: string, vmId: VmId | null, now: number): Task => ({
  id: fakeId() as TaskId,
  kind,
  vmId,
  title,
  state: 'running',
  step: '',
  canCancel: true,
  canPause: LONG_KINDS.has(kind),
  isPaused: false,
  startedAt: now,
  ...NOT_YET,
  error: null,
  fileName: null,
});
