// Giving back what frozen images hold for nothing, on real files: where the host can punch, and where it cannot.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../electron/platform/clock.ts';
import { openFolder } from '../../../../electron/platform/folder.ts';
import { systemRandom } from '../../../../electron/platform/random.ts';
import { findXfsIo, type RangeTool, xfsIoTool } from '../../../../electron/platform/range-tool.ts';
import { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { Image } from '../../../../electron/storage/disk/image.ts';
import { MemoryStore } from '../../../../electron/storage/disk/memory-store.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import { randomBytes } from '../../../support/seeded.ts';
import { expectStrangersAgree } from '../../../support/strangers.ts';
import { mountXfs } from '../../../support/xfs-mount.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const none = xfsIoTool(null);

let folder: string;
let store: MemoryStore;
let engine: VmEngine;
let onTurn: () => void;
/** In the order they were made, which is that in which images are looked at. */
let ids: number;
const random = {
  ...systemRandom,
  uuid: () => `10000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
};

async function open(rangeTool: RangeTool): Promise<void> {
  const turn = (): Promise<void> => {
    onTurn();
    return new Promise(resolve => setImmediate(resolve));
  };
  const ports = {
    diskFolder: () => openFolder(folder, rangeTool),
    store,
    clock: systemClock,
    random,
    bootId: 'this boot',
    turn,
  };
  engine = await VmEngine.open(vmId, ports, { autoSettle: false });
}

const volume = () => engine.volume(diskId);
const take = (name: string): Promise<Moment> => engine.takeMoment({ name, note: '', kind: 'manual' });
const pointOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;
const pathOf = (moment: Moment): string => join(folder, `${pointOf(moment)}.vhd`);
const takenBy = (moment: Moment): number => statSync(pathOf(moment)).blocks * 512;
const hashes = (moments: readonly Moment[]): Promise<string[]> =>
  Promise.all(moments.map(moment => engine.hashPoint(pointOf(moment))));
const compactState = () => engine.timeline().settle.compact;

/**
 * Two points at rest, made where nothing can be punched: of the newer one, the root, 20 of 40 MiB are zeros the guest wrote,
 * whole blocks of them in its first half.
 */
async function wasteful(): Promise<Moment[]> {
  await engine.createDisk(diskId, 40 * MIB);
  volume().write(randomBytes(40 * MIB, 1), 0);
  const first = await take('first');
  volume().zero(2 * MIB, 20 * MIB, true);
  const second = await take('second');
  await engine.settle();
  return [first, second];
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-compact-'));
  store = new MemoryStore();
  onTurn = () => undefined;
  ids = 0;
  await open(none);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('giving back what points hold for nothing', () => {
  it('T4, T12: where nothing can be punched the last blocks move forwards and the file ends earlier, under a writing guest', async () => {
    const moments = await wasteful();
    const [first, second] = moments as [Moment, Moment];
    const [before, sizeBefore] = [await hashes(moments), statSync(pathOf(second)).size];
    let written = 0;
    onTurn = () => volume().write(Buffer.alloc(4096, 1 + (written++ % 200)), 4096 * (written % 64));
    engine.compact();
    await engine.settle();
    onTurn = () => undefined;
    expect(written).toBeGreaterThan(10);
    expect(await hashes(moments)).toEqual(before);
    // Ten blocks of 2 MiB; what they were is in the older point.
    expect(sizeBefore - statSync(pathOf(second)).size).toBeGreaterThanOrEqual(20 * MIB);
    expect(compactState().isPending).toBe(false);
    expect(compactState().freedBytes).toBeGreaterThanOrEqual(19 * MIB);
    const { damages } = await engine.verifier.some(null, 2 ** 40);
    expect(damages).toEqual([]);
    await engine.close();
    const known = moments.map((moment, index) => ({ pointId: pointOf(moment), sha256: before[index] ?? '' }));
    console.info(`after giving space back: ${await expectStrangersAgree(folder, known)}`);
    await open(none);
    expect(await hashes(moments)).toEqual(before);
    expect(takenBy(first)).toBeGreaterThan(20 * MIB);
  });

  const xfs = mountXfs(400 * MIB);
  it.skipIf(typeof xfs === 'string')(
    'T4: where it can, in place, to the byte that is said to be freed',
    async () => {
      if (typeof xfs === 'string') return;
      try {
        folder = join(xfs.path, 'disk');
        await engine.close();
        await open(none);
        const moments = await wasteful();
        const before = await hashes(moments);
        await engine.close();
        await open({ ...xfsIoTool(findXfsIo()), clone: none.clone });
        const taken = (): number => moments.reduce((sum, moment) => sum + takenBy(moment), 0);
        const takenBefore = taken();
        engine.compact();
        await engine.settle();
        expect(await hashes(moments)).toEqual(before);
        const freed = takenBefore - taken();
        console.info(`freed where the host can punch: ${freed / MIB} MiB`);
        expect(freed).toBeGreaterThanOrEqual(20 * MIB);
        expect(compactState()).toEqual({ isPending: false, isPaused: false, freedBytes: freed });
        // Again, there is nothing left to free.
        engine.compact();
        await engine.settle();
        expect(compactState()).toEqual({ isPending: false, isPaused: false, freedBytes: 0 });
        await engine.close();
      } finally {
        await engine.close().catch(() => undefined);
        xfs.remove();
      }
    },
  );
  if (typeof xfs === 'string') console.warn(`punching on XFS is not shown here: ${xfs}`);

  it('T12: what ends far out ends earlier also where room can be given back: no BAT entry reaches behind 2 TiB', async () => {
    await open(none);
    await engine.createDisk(diskId, 40 * MIB);
    volume().write(randomBytes(2 * MIB, 1), 0);
    const moment = await take('first');
    await engine.settle();
    const before = await hashes([moment]);
    await engine.close();
    const id = pointOf(moment);
    const image = Image.open(openFolder(folder).open(`${id}.vhd`, 'existing'), id);
    const pageBytes = image.sumsBytes + image.bitmapBytes;
    const page = Buffer.alloc(pageBytes + image.blockBytes);
    image.file.read(page, image.dataOffset(0) - pageBytes);
    const dataOffset = 2 ** 40 + MIB;
    const entry = (dataOffset - image.bitmapBytes) / 512;
    image.file.write(page, dataOffset - pageBytes);
    image.changeBat(
      [0],
      Uint32Array.from(image.bat, (one, block) => (block === 0 ? entry : one)),
    );
    image.place(0, entry);
    image.writeEndFooter();
    image.close();
    const punching = { ...none, punch: () => Promise.resolve(true) };
    await open(punching);
    expect(statSync(pathOf(moment)).size).toBeGreaterThan(2 ** 40);
    engine.compact();
    await engine.settle();
    expect(statSync(pathOf(moment)).size).toBeLessThan(64 * MIB);
    expect(await hashes([moment])).toEqual(before);
  });

  it('T18: waits while settling is paused, also through a restart; told to stop, it does no more', async () => {
    const moments = await wasteful();
    const size = (): number => statSync(pathOf(moments[1] as Moment)).size;
    const before = size();
    engine.setSettling(false);
    engine.compact();
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', compact: { isPending: true } });
    await engine.close();
    await open(none);
    expect(compactState().isPending).toBe(true);
    expect(size()).toBe(before);
    engine.compact('stop');
    engine.setSettling(true);
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'rest', compact: { isPending: false } });
    expect(size()).toBe(before);
  });

  it('T18: paused, it goes on behind the last image it was done with, also after a restart, and counts on', async () => {
    const moments = await wasteful();
    const [first, second] = moments as [Moment, Moment];
    const [before, sizeBefore] = [await hashes(moments), statSync(pathOf(second)).size];
    const record = () => store.rows('op').find(op => op.kind === 'compact');
    onTurn = () => {
      if (record()?.done === pointOf(first)) engine.compact('pause');
    };
    engine.compact();
    await engine.settle();
    onTurn = () => undefined;
    expect(engine.timeline().settle).toMatchObject({ state: 'rest', compact: { isPaused: true } });
    await engine.close();
    await open(none);
    expect(record()).toMatchObject({ done: pointOf(first), isPaused: true });
    expect(compactState()).toMatchObject({ isPending: true, isPaused: true });
    const begun: unknown[] = [];
    onTurn = () => begun.push(record()?.done);
    engine.compact();
    await engine.settle();
    onTurn = () => undefined;
    expect(new Set(begun)).toEqual(new Set([pointOf(first)]));
    expect(compactState()).toMatchObject({ isPending: false, isPaused: false });
    expect(sizeBefore - statSync(pathOf(second)).size).toBeGreaterThanOrEqual(20 * MIB);
    expect(compactState().freedBytes).toBeGreaterThanOrEqual(19 * MIB);
    expect(await hashes(moments)).toEqual(before);
  });

  it('T8: a point deleted in the middle of it is let go when its step ends, and an order to stop is not overwritten', async () => {
    const moments = await wasteful();
    const [first, second] = moments as [Moment, Moment];
    const [, hash] = await hashes(moments);
    let turns = 0;
    const gone: Promise<unknown>[] = [];
    onTurn = () => {
      turns++;
      if (turns === 3) gone.push(engine.deleteMoment(first.id).then(() => engine.purge(() => true)));
      if (turns === 6) engine.compact('stop');
    };
    engine.compact();
    await engine.settle();
    onTurn = () => undefined;
    await Promise.all(gone);
    await engine.settle();
    expect(turns).toBeGreaterThan(6);
    expect(compactState().isPending).toBe(false);
    expect(engine.timeline().moments.map(({ id }) => id)).toEqual([second.id]);
    expect(() => statSync(pathOf(first))).toThrow(/ENOENT/);
    expect(await engine.hashPoint(pointOf(second))).toBe(hash);
  });
});
