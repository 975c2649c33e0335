// After deaths, power cuts and full disks, and the recovery from them, programs that share nothing with us read every point
// as what it was known to hold before.
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { hashVolume } from '../../../electron/storage/disk/hash.ts';
import { openVmFolder } from '../../../electron/storage/disk/open-folder.ts';
import type { DiskId, PointId, VmId } from '../../../shared/ids.ts';
import type { Moment, SettleWork } from '../../../shared/timeline.ts';
import { withFiles } from '../../sim/storage/as-files.ts';
import { SimWorld } from '../../sim/storage/device.ts';
import { engineOn } from '../../sim/storage/engine-on.ts';
import { pump } from '../../sim/storage/pump.ts';
import { randomBytes, Seeded } from '../../support/seeded.ts';
import { expectStrangersAgree, type KnownPoint } from '../../support/strangers.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
/** So that every edge has several batches. */
const OPTIONS = { autoSettle: false, batchBytes: 256 * 1024 };
// Strangers are programs, started once a point: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000 });

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function scribble(engine: VmEngine, random: Seeded): void {
  const volume = engine.volume(diskId);
  for (let count = 0; count < 20; count++) {
    const length = 512 * (1 + random.below(200));
    const at = 512 * random.below((volume.sizeBytes - length) / 512);
    if (random.below(5) === 0) volume.zero(at, length, true);
    else volume.write(randomBytes(length, random.next()), at);
  }
}
/** By what the disk held then, read before there was a point. */
function nowSha(engine: VmEngine): string {
  const volume = engine.volume(diskId);
  const bytes = Buffer.alloc(volume.sizeBytes);
  volume.read(bytes, 0);
  return sha256(bytes);
}
const pointOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;

/** Of all points there are, each with what it held when it was taken; the one whole image is among them. */
async function everyone(engine: VmEngine, disk: string, known: ReadonlyMap<string, string>): Promise<void> {
  const { moments, settle } = engine.timeline();
  expect(settle).toMatchObject({ state: 'rest', pendingEdges: 0 });
  const points = moments.map(
    (moment): KnownPoint => ({
      pointId: pointOf(moment),
      sha256: known.get(moment.name) ?? 'nobody knows',
    }),
  );
  expect(moments.map(({ name }) => name).sort()).toEqual([...known.keys()].sort());
  const images = readdirSync(disk).filter(name => name.endsWith('.vhd'));
  const whole = images.filter(name => readFileSync(join(disk, name)).readUInt32BE(60) === 3);
  expect(whole.filter(name => points.some(({ pointId }) => name === `${pointId}.vhd`))).toHaveLength(1);
  console.info(await expectStrangersAgree(disk, points));
}

/** When two batches of an edge are turned. */
function undoOnce(engine: VmEngine): () => boolean {
  let isUndone = false;
  engine.onChange(() => {
    if (isUndone || (engine.timeline().settle.reversal?.batches ?? 0) < 2) return;
    isUndone = true;
    void engine.undoSettling();
  });
  return () => isUndone;
}

type WorkKind = SettleWork['kind'];
/** Where storage dies: at a step of such work when some of it is done. */
const DEATHS: readonly WorkKind[] = ['reversal', 'undo', 'merge', 'compact', 'checksum'];

/** A life in which each kind of work is done; before every step of it that is told, `look` may look. */
async function live(engine: VmEngine, known: Map<string, string>, look: () => void): Promise<void> {
  const random = new Seeded(6);
  // Nothing is settled meanwhile: what is known is true before and after, and all the work there is, is looked at.
  const take = async (name: string): Promise<Moment> => {
    engine.setSettling(false);
    scribble(engine, random);
    known.set(name, nowSha(engine));
    return engine.takeMoment({ name, note: '', kind: 'manual' });
  };
  engine.onChange(look);
  await engine.createDisk(diskId, 12 * MIB);
  await take('1');
  const second = await take('2');
  const isUndone = undoOnce(engine);
  engine.setSettling(true);
  await engine.settle();
  expect(isUndone()).toBe(true);
  await engine.settle();
  engine.setSettling(true);
  await engine.settle();
  await take('3');
  engine.volume(diskId).zero(4 * MIB, 8 * MIB, true);
  await take('4');
  engine.setSettling(true);
  await engine.settle();
  engine.compact();
  await engine.settle();
  await engine.deleteMoment(second.id);
  await engine.purge(() => true);
  known.delete('2');
  await engine.settle();
}

describe('T4, T12: strangers read every point after storage died', () => {
  it('in the middle of each kind of work, and what was begun was finished', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-died-'));
    const left = new Map<WorkKind, { readonly path: string; readonly known: Map<string, string> }>();
    const known = new Map<string, string>();
    const engine = await openVmFolder(vmId, folder, { turn }, OPTIONS);
    try {
      await live(engine, known, () => {
        const { work } = engine.timeline().settle;
        if (work === null || work.bytesDone === 0 || left.has(work.kind)) return;
        // What the page cache has now is what a process that died now leaves (T11).
        const path = mkdtempSync(join(tmpdir(), 'ebb-died-'));
        cpSync(folder, path, { recursive: true });
        left.set(work.kind, { path, known: new Map(known) });
      });
      await everyone(engine, join(folder, 'disks', diskId), known);
      await engine.close();
      expect([...left.keys()].sort()).toEqual([...DEATHS].sort());
      for (const [kind, { path, known: then }] of left) {
        const again = await openVmFolder(vmId, path, { turn }, OPTIONS);
        expect(again.timeline().settle.state, kind).not.toBe('rest');
        again.setSettling(true);
        await again.settle();
        if (kind === 'merge') then.delete('2');
        await everyone(again, join(path, 'disks', diskId), then);
        await again.close();
      }
    } finally {
      await engine.close().catch(() => undefined);
      for (const path of [folder, ...[...left.values()].map(({ path }) => path)])
        rmSync(path, { recursive: true, force: true });
    }
  });
});

const openIn = async (world: SimWorld): Promise<VmEngine> => {
  const opening = engineOn(world, vmId, OPTIONS);
  await pump(world, opening);
  return opening;
};

/** Two points, not settled. */
async function begun(world: SimWorld, known: Map<string, string>): Promise<VmEngine> {
  const engine = await openIn(world);
  const random = new Seeded(7);
  await pump(world, engine.createDisk(diskId, 8 * MIB));
  for (const name of ['1', '2', '3']) {
    scribble(engine, random);
    known.set(name, nowSha(engine));
    await pump(world, engine.takeMoment({ name, note: '', kind: 'manual' }));
  }
  return engine;
}

describe('T4, T12: strangers read every point after the power was cut', () => {
  it.each([
    ['between batches of an edge', '.new ends', 4, 'copy'],
    ['in a batch', 'write', 12, 'copy'],
    ['before the names change', '→', 2, 'flip'],
    ['between the two names', '→', 3, 'flip'],
    ['in a merge', 'merging', 30, 'merge'],
    ['while an edge goes back', 'undoing', 3, 'undo'],
  ] as const)('%s', async (_, at, left, op) => {
    const known = new Map<string, string>();
    const world = new SimWorld(new Seeded(11), 'boot-0');
    const engine = await begun(world, known);
    if (op === 'merge') {
      await pump(world, engine.settle());
      await pump(world, engine.deleteMoment(engine.timeline().moments[1]?.id as Moment['id']));
      await pump(
        world,
        engine.purge(() => true),
      );
      known.delete('2');
    }
    world.fuse = { at, left, kind: 'power' };
    if (op === 'undo') undoOnce(engine);
    expect(
      await pump(
        world,
        engine.settle().then(() => engine.settle()),
      ),
      'the power was cut',
    ).toBe(false);
    const after = world.after as SimWorld;
    expect(after.store.rows('op').map(({ kind }) => kind)).toEqual([op]);
    const again = await openIn(after);
    again.setSettling(true);
    await pump(after, again.settle());
    await withFiles(after.folder(diskId), disk => everyone(again, disk, known));
    expect(await hashVolumeIn(after, again)).toBe(known.get('3'));
  });
});

async function hashVolumeIn(world: SimWorld, engine: VmEngine): Promise<string> {
  const hashing = hashVolume(engine.volume(diskId), () => world.later('turn', () => undefined));
  await pump(world, hashing);
  return hashing;
}

it('T14: strangers read every point after the disk was full, in settling and under the guest', async () => {
  const known = new Map<string, string>();
  const world = new SimWorld(new Seeded(12), 'boot-0');
  const engine = await begun(world, known);
  world.shorten(MIB);
  await pump(world, engine.settle());
  expect(engine.timeline().settle).toMatchObject({
    state: 'blocked',
    reason: expect.stringMatching(/space/),
  });
  const volume = engine.volume(diskId);
  expect(() => volume.write(randomBytes(4 * MIB, 1), 0)).toThrow(
    expect.objectContaining({ body: expect.objectContaining({ code: 'disk.full' }) }),
  );
  world.relieve();
  world.ring();
  volume.write(randomBytes(4 * MIB, 1), 0);
  known.set('4', nowSha(engine));
  await pump(world, engine.takeMoment({ name: '4', note: '', kind: 'manual' }));
  await pump(world, engine.settle());
  await withFiles(world.folder(diskId), disk => everyone(engine, disk, known));
});
