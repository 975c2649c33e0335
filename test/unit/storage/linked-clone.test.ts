// A linked clone shares blocks with its source and nothing else: whatever happens to the one, the other stays what it was.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFolder } from '../../../electron/platform/folder.ts';
import { reflink } from '../../../electron/platform/reflink.ts';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../electron/storage/disk/open-folder.ts';
import type { DiskId, PointId, VmId } from '../../../shared/ids.ts';
import type { Moment } from '../../../shared/timeline.ts';
import { canReflink, reflinkFolder } from '../../support/reflink-folder.ts';
import { randomBytes } from '../../support/seeded.ts';
import { expectStrangersAgree } from '../../support/strangers.ts';

const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const otherId = '00000000-0000-4000-8000-000000000003' as DiskId;

const place = reflinkFolder();
if (typeof place === 'string') console.info(`linked clones are not tested here: ${place}`);
afterAll(() => {
  if (typeof place !== 'string') place[Symbol.dispose]();
});

interface Vm {
  readonly engine: VmEngine;
  readonly folder: string;
}
async function vm(base: string, autoSettle = false): Promise<Vm> {
  const folder = mkdtempSync(join(base, 'vm-'));
  return { folder, engine: await openVmFolder(vmId, folder, { turn }, { autoSettle, batchBytes: MIB }) };
}
const take = ({ engine }: Vm, name: string): Promise<Moment> =>
  engine.takeMoment({ name, note: '', kind: 'manual' });
const pointOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;
const files = ({ folder }: Vm, disk: DiskId): string[] =>
  readdirSync(join(folder, 'disks', disk))
    .filter(name => name.includes('.vhd'))
    .sort();

async function cloneOf(source: Vm, point: PointId, base: string): Promise<Vm & { readonly moment: Moment }> {
  const clone = await vm(base);
  const target = openFolder(join(clone.folder, 'disks', otherId));
  await clone.engine.sharing.adopt(otherId, await source.engine.sharing.share(point, target, reflink));
  return { ...clone, moment: await take(clone, 'Cloned') };
}

describe.skipIf(typeof place === 'string')('a linked clone', () => {
  const base = typeof place === 'string' ? '' : place.path;

  it('T1, T4: of any point, settled or not, keeps its content whatever happens to its source, and the source its', async () => {
    const source = await vm(base);
    await source.engine.createDisk(diskId, 13 * MIB);
    source.engine.setSettling(false);
    const volume = source.engine.volume(diskId);
    volume.write(randomBytes(11 * MIB, 1), 0);
    const first = await take(source, 'first');
    volume.write(randomBytes(3 * MIB, 2), MIB);
    const second = await take(source, 'second');
    volume.write(randomBytes(MIB + 512, 3), 9 * MIB);
    const third = await take(source, 'third');
    const contents = new Map<Moment, string>();
    for (const moment of [first, second, third])
      contents.set(moment, await source.engine.hashPoint(pointOf(moment)));
    const clones: (Vm & { readonly moment: Moment; readonly of: Moment })[] = [];
    for (const of of [first, second, third])
      clones.push({ of, ...(await cloneOf(source, pointOf(of), base)) });
    // In the middle of an edge being turned, too.
    let left = 2;
    source.engine.onChange(() => {
      if (source.engine.timeline().settle.reversal !== null && left-- === 0) source.engine.setSettling(false);
    });
    source.engine.setSettling(true);
    await source.engine.settle();
    expect(source.engine.timeline().settle).toMatchObject({ state: 'paused', pendingEdges: 2 });
    expect(source.engine.timeline().settle.reversal?.batches).toBeGreaterThan(0);
    for (const of of [first, second]) clones.push({ of, ...(await cloneOf(source, pointOf(of), base)) });
    source.engine.setSettling(true);
    await source.engine.settle();
    for (const of of [first, third]) clones.push({ of, ...(await cloneOf(source, pointOf(of), base)) });
    const expectSame = async (): Promise<void> => {
      for (const { engine, moment, of } of clones)
        expect(await engine.hashPoint(pointOf(moment)), `clone of ${of.name}`).toBe(contents.get(of));
    };
    await expectSame();
    // New UUIDs throughout.
    const own = new Set(files(source, diskId));
    for (const clone of clones) expect(files(clone, otherId).filter(name => own.has(name))).toEqual([]);

    // The clones live: they write, settle, take.
    for (const { engine } of clones) {
      engine.volume(otherId).write(randomBytes(MIB, 9), 4 * MIB);
      await engine.settle();
    }
    await expectSame();
    for (const moment of [first, second, third])
      expect(await source.engine.hashPoint(pointOf(moment)), moment.name).toBe(contents.get(moment));

    // The source re-roots, loses its points, then everything.
    await source.engine.goBack({ momentId: first.id, keepName: 'kept' });
    await source.engine.settle();
    volume.write(randomBytes(11 * MIB, 4), 0);
    await take(source, 'over it');
    await source.engine.settle();
    await expectSame();
    for (const moment of source.engine.timeline().moments) await source.engine.deleteMoment(moment.id);
    await source.engine.purge(() => true);
    await source.engine.settle();
    await expectSame();
    await source.engine.close();
    rmSync(source.folder, { recursive: true });
    await expectSame();
    for (const clone of clones) {
      const { engine, folder, moment, of } = clone;
      const last = await take(clone, 'its last');
      const lastSha256 = await engine.hashPoint(pointOf(last));
      await engine.rest();
      await engine.settle();
      const damage = await engine.verifier.some(null, Number.MAX_SAFE_INTEGER);
      expect(damage.damages).toEqual([]);
      await engine.close();
      await expectStrangersAgree(join(folder, 'disks', otherId), [
        { pointId: pointOf(moment), sha256: contents.get(of) ?? '' },
        { pointId: pointOf(last), sha256: lastSha256 },
      ]);
      rmSync(folder, { recursive: true });
    }
  });

  it('takes no room worth speaking of', async () => {
    const source = await vm(base);
    await source.engine.createDisk(diskId, 120 * MIB);
    source.engine.volume(diskId).write(randomBytes(100 * MIB, 5), 0);
    const moment = await take(source, 'only');
    await source.engine.settle();
    const free = (): number => statfsSync(base).bavail * statfsSync(base).bsize;
    const before = free();
    const clone = await cloneOf(source, pointOf(moment), base);
    await clone.engine.settle();
    expect(before - free()).toBeLessThan(8 * MIB);
    expect(await clone.engine.hashPoint(pointOf(clone.moment))).toBe(
      await source.engine.hashPoint(pointOf(moment)),
    );
    expect(clone.engine.timeline().moments[0]?.points[0]?.form).toBe('root');
    for (const { engine, folder } of [source, clone]) {
      await engine.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('where the file system cannot', () => {
  it.skipIf(canReflink(tmpdir()))('it is refused with the remedy, and nothing is left', async () => {
    const source = await vm(tmpdir());
    await source.engine.createDisk(diskId, 8 * MIB);
    source.engine.volume(diskId).write(Buffer.alloc(MIB, 1), 0);
    const moment = await take(source, 'only');
    const target = openFolder(join(source.folder, 'elsewhere'));
    await expect(source.engine.sharing.share(pointOf(moment), target, reflink)).rejects.toMatchObject({
      body: { code: 'host.unsupported', todo: expect.stringContaining('without --linked') },
    });
    expect(target.list()).toEqual([]);
    expect(sha(Buffer.from(await source.engine.hashPoint(pointOf(moment))))).toMatch(/^[0-9a-f]+$/);
    await source.engine.close();
    rmSync(source.folder, { recursive: true });
  });
});
