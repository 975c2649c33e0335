// Updates made elsewhere as points of ours, and ours for others, on real files.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../../../electron/platform/folder.ts';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import { randomBytes } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const disks = ['00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003'] as DiskId[];
const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let engine: VmEngine;
const open = (): Promise<VmEngine> => openVmFolder(vmId, folder, { turn }, { autoSettle: false });
const disk = (index = 0): DiskId => disks[index] as DiskId;
const files = (index = 0): string[] => readdirSync(join(folder, 'disks', disk(index))).sort();
const pointOf = (moment: Moment, index = 0): PointId =>
  moment.points.find(({ diskId }) => diskId === disk(index))?.pointId as PointId;
const take = (name: string): Promise<Moment> => engine.takeMoment({ name, note: '', kind: 'manual' });
const named = (name: string): Moment => engine.timeline().moments.find(row => row.name === name) as Moment;
const commit = (id: PointId, name: string, origin = 'somewhere'): Promise<unknown> =>
  engine.grafts.commit(id, { name, note: '', origin });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-graft-'));
  engine = await open();
  for (const diskId of disks) await engine.createDisk(diskId, 12 * MIB);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('an update made elsewhere', () => {
  it('T1, T4: becomes a branch of its point, on every disk of it, and going forward to it re-roots there', async () => {
    const base = randomBytes(engine.volume(disk()).sizeBytes, 1);
    engine.volume(disk()).write(base, 0);
    engine.volume(disk(1)).write(Buffer.alloc(MIB, 7), 0);
    const first = await take('first');
    engine.volume(disk()).write(Buffer.alloc(4096, 9), 5 * MIB);
    const second = await take('second');
    await engine.settle();
    const hashes = new Map<PointId, string>();
    for (const { points } of [first, second])
      for (const { pointId } of points) hashes.set(pointId, await engine.hashPoint(pointId));

    const { id, volume } = await engine.grafts.begin(pointOf(first));
    const expected = Buffer.from(base);
    for (const [at, length] of [
      [512, 1024],
      [3 * MIB - 4096, 9000 - (9000 % 512)],
      [7 * MIB, 2 * MIB],
    ] as const) {
      volume.write(Buffer.alloc(length, 0x5a), at);
      expected.fill(0x5a, at, at + length);
    }
    volume.zero(9 * MIB, MIB, true);
    expected.fill(0, 9 * MIB, 10 * MIB);
    expect(engine.timeline().moments).toHaveLength(2);
    await commit(id, 'update', 'aaaa');

    const update = named('update');
    expect(update).toMatchObject({ kind: 'imported', parentId: first.id });
    expect(update.points).toHaveLength(2);
    expect(await engine.hashPoint(id)).toBe(sha(expected));
    expect(await engine.hashPoint(pointOf(update, 1))).toBe(hashes.get(pointOf(first, 1)));
    expect(engine.pointsOf('aaaa')).toEqual([id]);
    expect(engine.timeline().nowParentId).toBe(second.id);

    await engine.goBack({ momentId: update.id, keepName: 'kept' });
    await engine.settle();
    expect(named('update').points.map(point => point.form)).toEqual(['root', 'root']);
    for (const [pointId, hash] of hashes) expect(await engine.hashPoint(pointId)).toBe(hash);
    expect(await engine.hashPoint(id)).toBe(sha(expected));
  });

  it('T14: given up, or left behind by a death of storage, leaves nothing', async () => {
    engine.volume(disk()).write(Buffer.alloc(MIB, 1), 0);
    const first = await take('first');
    const before = [files(), files(1)];
    const { id, volume } = await engine.grafts.begin(pointOf(first));
    volume.write(Buffer.alloc(MIB, 2), 0);
    await engine.grafts.discard(id);
    expect([files(), files(1)]).toEqual(before);
    const again = await engine.grafts.begin(pointOf(first));
    again.volume.write(Buffer.alloc(MIB, 2), 0);
    expect(files()).toHaveLength((before[0]?.length ?? 0) + 1);
    await engine.close();
    engine = await open();
    const withoutRunFiles = (names: string[]): string[] => names.filter(name => name.endsWith('.vhd'));
    expect([files(), files(1)].map(withoutRunFiles)).toEqual(before.map(withoutRunFiles));
    expect(engine.timeline().moments).toHaveLength(1);
    await expect(commit(again.id, 'late')).rejects.toMatchObject({ body: { code: 'moment.not-found' } });
  });

  it('T8: its point may be purged while it grows; what it grew on stays until it needs it no more', async () => {
    engine.volume(disk()).write(randomBytes(4 * MIB, 3), 0);
    await take('first');
    engine.volume(disk()).write(randomBytes(MIB, 4), MIB);
    const middle = await take('middle');
    engine.volume(disk()).write(randomBytes(MIB, 5), 2 * MIB);
    await take('last');
    const { id, volume } = await engine.grafts.begin(pointOf(middle));
    volume.write(Buffer.alloc(8192, 8), 0);
    const expected = Buffer.alloc(volume.sizeBytes);
    volume.read(expected, 0);
    await engine.deleteMoment(middle.id);
    await engine.purge(() => true);
    await engine.settle();
    await commit(id, 'update');
    expect(await engine.hashPoint(id)).toBe(sha(expected));
    await engine.settle();
    expect(await engine.hashPoint(id)).toBe(sha(expected));
    expect(engine.timeline().settle.state).toBe('rest');
  });

  it('no more at a time than are allowed, and on no point that is in the trash', async () => {
    engine.volume(disk()).write(Buffer.alloc(MIB, 1), 0);
    const first = await take('first');
    const grown = [];
    for (let count = 0; count < 4; count++) grown.push(await engine.grafts.begin(pointOf(first)));
    await expect(engine.grafts.begin(pointOf(first))).rejects.toMatchObject({
      body: { code: 'limit.reached' },
    });
    await engine.grafts.discard(null);
    await engine.deleteMoment(first.id);
    await expect(engine.grafts.begin(pointOf(first))).rejects.toMatchObject({
      body: { code: 'moment.not-found' },
    });
  });
});

describe('an update for others', () => {
  async function write(from: Moment, to: Moment, name: string): Promise<number> {
    const out = openFolder(join(folder, 'out'));
    let cursor = null;
    for (let calls = 0; calls === 0 || cursor !== null; calls++) {
      const order = { fromId: pointOf(from), toId: pointOf(to), cursor, budgetBytes: MIB };
      const told = await engine.deltas.some({ folder: out, name }, order, 0);
      cursor = told.cursor;
      if (cursor === null) return told.writtenBytes;
      expect(told.doneBytes).toBeLessThan(told.totalBytes);
    }
    throw new Error('not reached');
  }

  it('T1, T12: holds what differs and no more, both ways, and 7-Zip reads it over its parent', async () => {
    const size = engine.volume(disk()).sizeBytes;
    engine.volume(disk()).write(randomBytes(size, 6), 0);
    const first = await take('first');
    engine.volume(disk()).write(Buffer.alloc(20 * 4096, 1), 3 * MIB);
    engine.volume(disk()).zero(8 * MIB, 4096, true);
    await take('between');
    // Written with what it held: another image has it, nothing differs.
    const same = Buffer.alloc(4096);
    engine.volume(disk()).read(same, MIB);
    engine.volume(disk()).write(same, MIB);
    engine.volume(disk()).write(Buffer.alloc(512, 2), size - 512);
    const last = await take('last');
    for (const when of ['before it is settled', 'settled']) {
      expect(await write(first, last, `${pointOf(last)}.vhd.${when}`), when).toBe(22 * 4096);
      if (when === 'settled') continue;
      await engine.settle();
    }
    expect(await write(last, first, 'back.vhd')).toBe(22 * 4096);

    // Beside a whole image of its parent.
    const [parent, child] = [`${pointOf(first)}.vhd`, 'update.vhd'];
    const base = openFolder(join(folder, 'out'));
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    await engine.settle();
    const root = join(folder, 'disks', disk(), parent);
    expect(spawnSync('cp', [root, join(base.path, parent)]).status).toBe(0);
    await write(first, last, child);
    const ran = spawnSync('7z', ['x', '-tVHD', '-so', join(base.path, child)], { maxBuffer: 64 * MIB });
    expect(ran.status, ran.stderr.toString()).toBe(0);
    expect(sha(ran.stdout)).toBe(await engine.hashPoint(pointOf(last)));
  });

  it('not between different disks', async () => {
    engine.volume(disk()).write(Buffer.alloc(MIB, 1), 0);
    const first = await take('first');
    const order = { fromId: pointOf(first), toId: pointOf(first, 1), cursor: null, budgetBytes: MIB };
    const place = { folder: openFolder(join(folder, 'out')), name: 'x.vhd' };
    await expect(engine.deltas.some(place, order, 0)).rejects.toMatchObject({
      body: { code: 'vhd.parent-mismatch' },
    });
  });
});
