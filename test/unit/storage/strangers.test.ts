// After every kind of operation programs that share nothing with us read every point as what it is known to hold.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openFolder } from '../../../electron/platform/folder.ts';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { hashVolume } from '../../../electron/storage/disk/hash.ts';
import { openVmFolder } from '../../../electron/storage/disk/open-folder.ts';
import { rescueFolder } from '../../../electron/storage/disk/rescue-folder.ts';
import type { DiskId, PointId, VmId } from '../../../shared/ids.ts';
import type { Moment } from '../../../shared/timeline.ts';
import { randomBytes, Seeded } from '../../support/seeded.ts';
import { expectStrangersAgree, type KnownPoint } from '../../support/strangers.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
/** So that an edge has several batches. */
const OPTIONS = { autoSettle: false, batchBytes: 256 * 1024 };
// Strangers are programs, started once a point: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000 });

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
const disk = (): string => join(folder, 'disks', diskId);
let engine: VmEngine;
let random: Seeded;
const known = new Map<string, { readonly moment: Moment; readonly sha256: string }>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-str-'));
  engine = await openVmFolder(vmId, folder, { turn }, OPTIONS);
  await engine.createDisk(diskId, 11 * MIB);
  random = new Seeded(5);
  known.clear();
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

function scribble(times = 25): void {
  const volume = engine.volume(diskId);
  for (let count = 0; count < times; count++) {
    const length = 512 * (1 + random.below(300));
    const at = 512 * random.below((volume.sizeBytes - length) / 512);
    if (random.below(5) === 0) volume.zero(at, length, true);
    else volume.write(randomBytes(length, random.next()), at);
  }
}
async function take(name: string): Promise<Moment> {
  scribble();
  const moment = await engine.takeMoment({ name, note: '', kind: 'manual' });
  await remember(name, moment);
  return moment;
}
const pointOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;
async function remember(name: string, moment: Moment): Promise<void> {
  known.set(name, { moment, sha256: await engine.hashPoint(pointOf(moment)) });
}
const named = (name: string): Moment => known.get(name)?.moment as Moment;
async function goBack(name: string, keepName: string): Promise<void> {
  await engine.goBack({ momentId: named(name).id, keepName });
  const kept = engine.timeline().moments.find(moment => moment.name === keepName);
  if (kept !== undefined) await remember(keepName, kept);
}
async function remove(name: string): Promise<void> {
  await engine.deleteMoment(named(name).id);
  await engine.purge(() => true);
  known.delete(name);
}
async function everyone(): Promise<void> {
  const points = [...known.values()].map(
    ({ moment, sha256 }): KnownPoint => ({ pointId: pointOf(moment), sha256 }),
  );
  expect(engine.timeline().moments).toHaveLength(points.length);
  console.info(await expectStrangersAgree(disk(), [...points, ...(await nowAlone(points))]));
}

/** The one whole image where it is no point: at rest it is Now (T17). */
async function nowAlone(points: readonly KnownPoint[]): Promise<KnownPoint[]> {
  const images = readdirSync(disk()).filter(name => name.endsWith('.vhd'));
  const whole = images.filter(name => readFileSync(join(disk(), name)).readUInt32BE(60) === 3);
  expect(whole).toHaveLength(1);
  const pointId = whole[0]?.slice(0, 36) as PointId;
  if (points.some(point => point.pointId === pointId)) return [];
  expect(engine.timeline().disks[0]?.depth).toBe(1);
  return [{ pointId, sha256: await hashVolume(engine.volume(diskId), turn) }];
}

const SCENARIOS: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'T6: taken, nothing settled',
    () => {
      engine.setSettling(false);
      return taken(3);
    },
  ],
  ['T2: one edge turned', () => taken(2).then(() => engine.settle())],
  ['T9: several settled', () => taken(5).then(() => engine.settle())],
  [
    'T7: gone back, with branches, re-rooted',
    async () => {
      await taken(3);
      await engine.settle();
      scribble();
      await goBack('1', 'kept');
      await take('branch');
      await take('branch 2');
      await engine.settle();
    },
  ],
  [
    'T7: an edge turned half way and turned back',
    async () => {
      await taken(2);
      let halted = false;
      engine.onChange(() => {
        if (halted || (engine.timeline().settle.reversal?.batches ?? 0) < 2) return;
        halted = true;
        engine.setSettling(false);
      });
      await engine.settle();
      expect(halted).toBe(true);
      await engine.undoSettling();
      await engine.settle();
      expect(engine.timeline().settle).toMatchObject({ pendingEdges: 1, reversal: null });
    },
  ],
  [
    'T8: the oldest deleted',
    () =>
      taken(4)
        .then(() => engine.settle())
        .then(() => remove('1')),
  ],
  [
    'T8: a middle one, the newest, and one with several children deleted',
    async () => {
      await taken(5);
      await engine.settle();
      await goBack('3', 'kept');
      await take('branch');
      await engine.settle();
      for (const name of ['2', '5', '3']) await remove(name);
      await engine.settle();
    },
  ],
  [
    'T4: space given back',
    async () => {
      await taken(3);
      await engine.settle();
      engine.volume(diskId).zero(0, 6 * MIB, true);
      await take('mostly zeros');
      await engine.settle();
      engine.compact();
      await engine.settle();
    },
  ],
  [
    'T17: at rest',
    async () => {
      await taken(2);
      scribble();
      await engine.rest();
      await engine.settle();
    },
  ],
  [
    'T8: put into the trash, settled, and taken out again',
    async () => {
      await taken(4);
      for (const name of ['2', '4']) await engine.deleteMoment(named(name).id);
      await engine.settle();
      for (const name of ['2', '4']) await engine.restoreMoment(named(name).id);
      await engine.settle();
    },
  ],
  [
    'T5: its database lost, and made anew from the headers',
    async () => {
      await taken(3);
      await engine.settle();
      scribble();
      await goBack('2', 'kept');
      await engine.close();
      for (const name of ['timeline.db', 'timeline.json']) rmSync(join(folder, name));
      expect(await rescueFolder(folder, false)).toMatchObject({ points: 4, notes: [] });
      engine = await openVmFolder(vmId, folder, { turn }, OPTIONS);
      await engine.settle();
    },
  ],
  [
    'T15: grown twice, each point as large as it was',
    async () => {
      for (const more of [0, 4 * MIB, 9 * MIB]) {
        if (more > 0) await engine.growDisk(diskId, engine.volume(diskId).sizeBytes + more);
        await take(`after ${more}`);
        await engine.settle();
      }
    },
  ],
  [
    'T1: an update brought in, and gone forward to',
    async () => {
      await taken(3);
      await engine.settle();
      const { id, volume } = await engine.grafts.begin(pointOf(named('2')));
      volume.write(randomBytes(3 * MIB + 512, 8), 512 * 9);
      const momentId = await engine.grafts.commit(id, { name: 'update', note: '', origin: 'x' });
      const made = engine.timeline().moments.find(moment => moment.id === momentId) as Moment;
      await remember('update', made);
      await goBack('update', 'kept');
      await engine.settle();
    },
  ],
];
async function taken(count: number): Promise<void> {
  for (let number = 1; number <= count; number++) await take(String(number));
}

describe('T4, T12: strangers read every point as it is', () => {
  it.each(SCENARIOS)('%s', async (_, scenario) => {
    await scenario();
    await everyone();
  });

  it('T13: an update written for others, over a copy of its parent', async () => {
    await taken(3);
    await engine.settle();
    const out = openFolder(join(folder, 'out'));
    const [from, to] = [named('1'), named('3')];
    for (const [parent, child, name] of [
      [null, from, `${pointOf(from)}.vhd`],
      [from, to, `${pointOf(to)}.vhd`],
    ] as const) {
      if (parent === null) {
        await goBack('1', 'kept');
        await engine.settle();
        await engine.close();
        const source = openFolder(join(folder, 'disks', diskId)).open(name, 'read-only');
        const bytes = new Uint8Array(source.sizeBytes());
        source.read(bytes, 0);
        const copy = out.open(name, 'create');
        copy.write(bytes, 0);
        copy.close();
        source.close();
        engine = await openVmFolder(vmId, folder, { turn }, OPTIONS);
        continue;
      }
      const order = { fromId: pointOf(parent), toId: pointOf(child), cursor: null, budgetBytes: 2 ** 40 };
      expect((await engine.deltas.some({ folder: out, name }, order, 0)).cursor).toBeNull();
    }
    const points = [from, to].map(moment => ({
      pointId: pointOf(moment),
      sha256: known.get(moment.name)?.sha256 ?? '',
    }));
    console.info(await expectStrangersAgree(out.path, points));
  });
});
