// More make-believe worlds for looking at the window: a crowd at every limit, one where all goes wrong, and one whose
// guests and people write hostile text. Development only. Deterministic but for the clock.
import type { ErrorBody } from '../../shared/errors.ts';
import type { MomentId } from '../../shared/ids.ts';
import { GIB_KIB, MIB } from '../../shared/units.ts';
import type { VmPhase } from '../../shared/vm.ts';
import { addMoment } from './fake-history.ts';
import { type FakeVm, type FakeWorld, fakeTask, fakeWorld, makeVm } from './fake-world.ts';

const HOUR = 3_600_000;
const PHASES: readonly VmPhase[] = ['running', 'running', 'off', 'suspended', 'paused', 'failed', 'starting'];
const SYSTEMS = ['linux', 'windows', 'bsd', 'other'] as const;
export const CROWD = { vms: 200, points: 5000 } as const;

/** `count` automatic points an hour apart with a named one now and then, and a branch off every 97th. */
export function longHistory(vm: FakeVm, count: number, now: number): void {
  let last: MomentId | null = null;
  for (let index = 0; index < count; index += 1) {
    const isNamed = index % 50 === 0;
    const branches = index % 97 === 96;
    const made = addMoment(vm, {
      name: isNamed ? `release ${index / 50}` : '',
      kind: isNamed ? 'manual' : 'automatic',
      pinned: index % 250 === 0,
      after: last,
      at: now - (count - index) * HOUR,
      bytes: (1 + ((index * 37) % 900)) * MIB,
      root: index === count - 1,
    });
    if (!branches) last = made.id;
  }
}

/** 200 VMs of 512 MiB to 2 TiB on a host of 4 TiB, one history of 5,000 points, names as long as they may be. */
function crowd(world: FakeWorld): void {
  world.host = { ...world.host, totalKib: 4096 * GIB_KIB, reserveKib: 64 * GIB_KIB };
  world.vms = [];
  for (let index = 0; index < CROWD.vms; index += 1) {
    const max = 2 ** (index % 6);
    const phase = PHASES[index % PHASES.length] ?? 'off';
    world.vms.push(
      makeVm(
        {
          name:
            index % 9 === 4
              ? `${index} ${'a name that goes on and on '.repeat(3)}`.slice(0, 58)
              : `vm-${index}`,
          os: SYSTEMS[index % SYSTEMS.length] ?? 'other',
          phase,
          min: max / 4,
          max,
          actual: max * 0.6,
          target: max * 0.7,
          used: max * 0.4,
          balloon: index % 25 === 7 ? 'refusing' : 'obeying',
          diskGib: index % 3 === 0 ? 2040 : 1,
        },
        world.now,
      ),
    );
  }
  const [first, second] = world.vms;
  if (first === undefined || second === undefined) return;
  longHistory(first, CROWD.points, world.now);
  longHistory(second, 150, world.now);
  largest(second);
}

/** A VM of 2 TiB of memory with a disk of 2040 GiB. */
function largest(vm: FakeVm): void {
  const sizes = { minKib: GIB_KIB, maxKib: 2048 * GIB_KIB };
  vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, ...sizes } };
  vm.memory = { ...vm.memory, ...sizes, bootKib: sizes.maxKib, actualKib: 1024 * GIB_KIB };
}

const failure = (code: ErrorBody['code'], what: string, todo: string): ErrorBody => ({
  code,
  what,
  safe: 'The disk and all points are untouched.',
  todo,
});

function troubled(world: FakeWorld): void {
  world.state = 'emergency';
  const [dev, work, legacy, win11] = world.vms;
  if (dev === undefined || work === undefined || legacy === undefined || win11 === undefined) return;
  dev.summary = {
    ...dev.summary,
    state: {
      ...dev.summary.state,
      phase: 'paused',
      detail: 'The disk of this computer is full: 0.4 GiB are free.',
    },
  };
  dev.timeline = {
    ...dev.timeline,
    freeBytes: 410 * MIB,
    settle: {
      ...dev.timeline.settle,
      state: 'blocked',
      reason:
        'Settling needs 430 MiB and 410 MiB are free. Points and Now are whole; it goes on when there is room.',
    },
  };
  work.timeline = {
    ...work.timeline,
    disks: work.timeline.disks.map(disk => ({
      ...disk,
      poisoned:
        'A write to the disk file was not confirmed (EIO). It is not written to until it has been checked.',
    })),
  };
  legacy.timeline = {
    ...legacy.timeline,
    settle: { ...legacy.timeline.settle, state: 'paused', isHeld: true, pendingEdges: 2 },
  };
  win11.summary = {
    ...win11.summary,
    state: {
      ...win11.summary.state,
      phase: 'off',
      error: failure(
        'vm.died',
        'QEMU ended with signal 9.',
        'Start it again; the host may have been out of memory.',
      ),
    },
  };
  const failed = fakeTask(
    'moment.export',
    'Exporting “before update” of dev',
    dev.summary.spec.id,
    world.now,
  );
  world.tasks = [
    fakeTask('vm.verify', 'Checking the history of dev', dev.summary.spec.id, world.now),
    { ...fakeTask('vm.compact', 'Giving space back', work.summary.spec.id, world.now), isPaused: true },
    {
      ...failed,
      state: 'failed',
      endedAt: world.now,
      error: failure(
        'disk.full',
        'The export needs 3.2 GiB and 0.4 GiB are free.',
        'Free space, then export again.',
      ),
    },
  ];
}

/** Markup, control characters, text that turns round, letters piled on letters, one word without an end. */
export const HOSTILE_TEXTS: readonly string[] = [
  '<img src=x onerror=alert(1)><script>alert(2)</script>',
  'safe\u202Etxt.exe\u202C \u2066isolated',
  `a\u0000b\u0007c\u001b[31mred\u200Bzero\u200Bwidth`,
  `z${'\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308'.repeat(15)}algo`,
  'W'.repeat(200),
  'line one\nline two\r\n\tthree',
  '{{name}} %s %n &lt;b&gt;',
  '👩‍👩‍👧‍👦 עברית العربية 中文 ไทย',
];

function hostile(world: FakeWorld): void {
  const [dev, work] = world.vms;
  if (dev === undefined || work === undefined) return;
  const names = [
    '<b>bold<b> & "quoted"',
    'W'.repeat(60),
    `z${'\u0301\u0302\u0303'.repeat(15)}algo`,
    'עברית العربية',
  ];
  world.vms.forEach((vm, index) => {
    const name = names[index];
    if (name !== undefined) vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, name } };
  });
  let last: MomentId | null = null;
  dev.timeline = { ...dev.timeline, moments: [] };
  HOSTILE_TEXTS.forEach((text, index) => {
    last = addMoment(dev, {
      name: text,
      note: text.repeat(10).slice(0, 4000),
      kind: 'manual',
      after: last,
      at: world.now - (HOSTILE_TEXTS.length - index) * 5 * HOUR,
      bytes: 200 * MIB,
    }).id;
  });
  dev.timeline = {
    ...dev.timeline,
    settle: { ...dev.timeline.settle, state: 'rest', pendingEdges: 0, reversal: null },
  };
  work.summary = {
    ...work.summary,
    state: { ...work.summary.state, phase: 'paused', detail: HOSTILE_TEXTS.join(' ').slice(0, 300) },
  };
  world.ledger = HOSTILE_TEXTS.map((text, seq) => ({
    seq,
    at: world.now - seq * 60_000,
    cause: 'demand',
    text: text.repeat(3).slice(0, 1000),
    moves: [],
    result: 'note' as const,
  }));
  world.tasks = [fakeTask('vm.verify', HOSTILE_TEXTS[4] ?? '', dev.summary.spec.id, world.now)];
}

export function anyWorld(kind: string, now: number): FakeWorld {
  const world = fakeWorld(kind, now);
  if (kind === 'crowded') crowd(world);
  if (kind === 'troubled') troubled(world);
  if (kind === 'hostile') hostile(world);
  return world;
}
