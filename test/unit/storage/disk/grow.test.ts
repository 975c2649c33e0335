// T3, T4, T12, T15: a disk with history grows; every older point stays as large as it was, and as it was.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;

let folder: string;
let engine: VmEngine;
let model: Buffer;
const random = new Seeded(23);

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const open = (): Promise<VmEngine> =>
  openVmFolder(vmId, folder, { turn }, { autoSettle: false, batchBytes: 256 * 1024 });
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const pathOf = (point: PointId): string => join(folder, 'disks', diskId, `${point}.vhd`);

interface Taken {
  readonly id: MomentId;
  readonly point: PointId;
  readonly bytes: number;
  readonly sha: string;
}

function write(at: number, length: number): void {
  const bytes = Buffer.alloc(length, 1 + random.below(254));
  engine.volume(diskId).write(bytes, at);
  bytes.copy(model, at);
}

/** Everywhere, and at the very end. */
function scribble(): void {
  const volume = engine.volume(diskId);
  for (let count = 0; count < 30; count++) {
    const length = 512 * (1 + random.below(100));
    write(512 * random.below((volume.sizeBytes - length) / 512), length);
  }
  write(volume.sizeBytes - 4096, 4096);
}

async function take(name: string): Promise<Taken> {
  const { id, points } = await engine.takeMoment({ name, note: '', kind: 'manual' });
  return { id, point: points[0]?.pointId as PointId, bytes: model.length, sha: sha(model) };
}

async function grow(bytes: number): Promise<void> {
  const size = await engine.growDisk(diskId, bytes);
  model = Buffer.concat([model, Buffer.alloc(size - model.length)]);
}

function nowSha(): string {
  const volume = engine.volume(diskId);
  const bytes = Buffer.alloc(volume.sizeBytes);
  volume.read(bytes, 0);
  return sha(bytes);
}

async function goBack({ id, point }: Taken): Promise<void> {
  await engine.goBack({ momentId: id, keepName: 'kept' });
  const reader = engine.pointReader(point);
  model = Buffer.alloc(reader.sizeBytes);
  reader.read(model, 0);
}

function sevenZip(point: PointId): string {
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', pathOf(point)], { maxBuffer: 512 * MIB });
  return ran.status === 0 ? sha(ran.stdout) : `7z: ${ran.stderr.toString().trim()}`;
}

/** In the file's own footer. */
const sizeInFile = (point: PointId): number => Number(readFileSync(pathOf(point)).readBigUInt64BE(48));

async function expectAsTaken(taken: readonly Taken[]): Promise<void> {
  expect(nowSha()).toBe(sha(model));
  for (const { point, bytes, sha: expected } of taken) {
    expect(engine.pointReader(point).sizeBytes).toBe(bytes);
    expect(await engine.hashPoint(point)).toBe(expected);
  }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-grow-'));
  engine = await open();
  await engine.createDisk(diskId, 7 * MIB);
  model = Buffer.alloc(engine.volume(diskId).sizeBytes);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('a disk with history grows', () => {
  it('T4, T12, T17: older points keep size and content, strangers read every one, Now is one VHD of the new size', async () => {
    const taken: Taken[] = [];
    for (const more of [0, 6 * MIB, 0, 14 * MIB]) {
      if (more > 0) await grow(model.length + more);
      scribble();
      taken.push(await take(`after ${more}`));
      await engine.settle();
      await expectAsTaken(taken.slice(-2));
    }
    await engine.close();
    engine = await open();
    await engine.rest();
    await engine.settle();
    await expectAsTaken(taken);
    for (const { point, bytes, sha: expected } of taken) {
      expect(sizeInFile(point)).toBe(bytes);
      expect(sevenZip(point)).toBe(expected);
    }
    const now = readdirSync(join(folder, 'disks', diskId)).filter(name => name.endsWith('.vhd'));
    // The points and the empty leaf.
    expect(now).toHaveLength(taken.length + 1);
    expect(engine.timeline().disks[0]).toMatchObject({ depth: 1, virtualBytes: model.length });
  });

  it('T7: going back to a smaller point makes Now as small, and what lies behind its end is kept with the larger ones', async () => {
    scribble();
    const small = await take('small');
    await grow(40 * MIB);
    scribble();
    const large = await take('large');
    await engine.settle();
    await goBack(small);
    expect(engine.timeline().disks[0]?.virtualBytes).toBe(small.bytes);
    await engine.settle();
    await expectAsTaken([small, large]);
    expect([sizeInFile(small.point), sizeInFile(large.point)]).toEqual([small.bytes, large.bytes]);
    // A stranger stops at the end of the smaller one that the larger one hangs off; he reads nothing wrong.
    expect(sevenZip(small.point)).toBe(small.sha);
    expect(sevenZip(large.point)).toContain('Unexpected end of data');
    scribble();
    const branch = await take('branch');
    await engine.settle();
    // Grown again on the branch: nothing of the other line shows behind the old end.
    await grow(48 * MIB);
    expect(nowSha()).toBe(sha(model));
    scribble();
    const regrown = await take('regrown');
    await engine.settle();
    await expectAsTaken([small, large, branch, regrown]);
    await goBack(large);
    await engine.settle();
    await expectAsTaken([small, large, branch, regrown]);
    expect(sevenZip(large.point)).toBe(large.sha);
  });

  it('T4: a branch off a smaller point reads zeros behind its end, whatever the newest line has there', async () => {
    scribble();
    const small = await take('small');
    await grow(16 * MIB);
    scribble();
    const large = await take('large');
    await engine.settle();
    await goBack(small);
    // Not settled: Now hangs off the small one, which hangs off the large one.
    await grow(20 * MIB);
    expect(nowSha()).toBe(sha(model));
    const volume = engine.volume(diskId);
    expect(volume.extents(small.bytes, volume.sizeBytes - small.bytes, 10)).toEqual([
      { length: volume.sizeBytes - small.bytes, state: 'zero' },
    ]);
    await expectAsTaken([small, large]);
    await engine.settle();
    await expectAsTaken([small, large]);
  });

  it('T4: what a root held behind its end when it was larger is not found there again when it grows', async () => {
    write(0, model.length);
    const small = await take('small');
    // Within the block the smaller one ends in.
    await grow(small.bytes + 256 * 1024);
    write(small.bytes, model.length - small.bytes);
    const large = await take('large');
    await engine.settle();
    await goBack(small);
    write(0, 4096);
    const again = await take('small again');
    await engine.settle();
    expect(sizeInFile(again.point)).toBe(again.bytes);
    await grow(large.bytes);
    write(4096, 4096);
    const regrown = await take('regrown');
    await engine.settle();
    await expectAsTaken([small, large, again, regrown]);
    expect(sevenZip(regrown.point)).toBe(regrown.sha);
    expect((await engine.verifier.some(null, 2 ** 40)).damages).toEqual([]);
  });

  it('T7: a reversal of unequal sizes taken back leaves every file the size of its point', async () => {
    engine.setSettling(false);
    scribble();
    const small = await take('small');
    await grow(16 * MIB);
    scribble();
    const large = await take('large');
    for (const batches of [1, 3, 5]) {
      let [isTold, undoing] = [false, null as Promise<void> | null];
      const stop = engine.onChange(() => {
        const { reversal } = engine.timeline().settle;
        if (isTold || reversal === null || reversal.batches < batches) return;
        isTold = true;
        undoing = engine.undoSettling();
      });
      engine.setSettling(true);
      await engine.settle();
      await undoing;
      await engine.settle();
      stop();
      expect(isTold).toBe(true);
      await expectAsTaken([small, large]);
      for (const { point, bytes } of [small, large]) expect(sizeInFile(point)).toBe(bytes);
    }
    engine.setSettling(true);
    await engine.settle();
    await expectAsTaken([small, large]);
    for (const { point, sha: expected } of [small, large]) expect(sevenZip(point)).toBe(expected);
  });

  it('T8: points of other sizes are deleted without changing their neighbours', async () => {
    const taken: Taken[] = [];
    for (const more of [0, 0, 7 * MIB, 0, 11 * MIB, 0]) {
      if (more > 0) await grow(model.length + more);
      scribble();
      taken.push(await take('point'));
    }
    await engine.settle();
    for (const index of [3, 1, 2, 0]) {
      const [gone] = taken.splice(index > taken.length - 1 ? 0 : index, 1);
      await engine.deleteMoment(gone?.id as MomentId);
      await engine.purge(() => true);
      await engine.settle();
      await expectAsTaken(taken);
      for (const { point, bytes, sha: expected } of taken) {
        expect(sizeInFile(point)).toBe(bytes);
        expect(sevenZip(point)).toBe(expected);
      }
    }
    expect(engine.timeline().settle.state).toBe('rest');
  });

  it('T12, T15: sizes are exact ones; a smaller one is refused, and so is more than 2040 GiB', async () => {
    scribble();
    const first = await take('first');
    await expect(engine.growDisk(diskId, model.length - 1)).rejects.toMatchObject({
      body: { code: 'disk.would-shrink', data: { virtualBytes: model.length } },
    });
    await expect(engine.growDisk(diskId, 2041 * 2 ** 30)).rejects.toMatchObject({
      body: { code: 'disk.too-large' },
    });
    expect(await engine.growDisk(diskId, model.length)).toBe(model.length);
    const size = await engine.growDisk(diskId, 2040 * 2 ** 30);
    expect(size).toBe(2040 * 2 ** 30);
    const last = Buffer.alloc(4096, 7);
    engine.volume(diskId).write(last, size - last.length);
    const large = await engine.takeMoment({ name: 'large', note: '', kind: 'manual' });
    await engine.settle();
    const found = Buffer.alloc(4096);
    engine.pointReader(large.points[0]?.pointId as PointId).read(found, size - found.length);
    expect(found).toEqual(last);
    expect(await engine.hashPoint(first.point)).toBe(first.sha);
    // Blocks nobody ever wrote do not count, however many there are.
    const [compared] = await engine.inspect.compare(first.id, large.id);
    expect(compared?.difference.ranges.at(-1)).toMatchObject({
      offset: expect.any(Number),
      length: expect.any(Number),
    });
    expect(compared?.difference.bytes).toBeLessThanOrEqual(2 * 2 * MIB);
  });
});
