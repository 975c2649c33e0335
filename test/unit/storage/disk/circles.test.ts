// T5: parents that go round in a circle, in the rows or in the headers of our own folder. Nobody goes round with them: what
// they hang off nothing is told, and what does not stand on them is read as before.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openFolder } from '../../../../electron/platform/folder.ts';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { Image } from '../../../../electron/storage/disk/image.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { rescueFolder } from '../../../../electron/storage/disk/rescue-folder.ts';
import { openTimelineStore } from '../../../../electron/storage/disk/sqlite-store.ts';
import { type MomentRow, type PointRow, put } from '../../../../electron/storage/disk/state.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
// Syncs and a script: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 120_000 });

const POINTS = 4;
const UNIT = 4096;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
let taken: Moment[];
/** Of each point, oldest first; the last is the root, each other one hangs off the next. */
let hashes: string[];

const database = (): string => join(folder, 'timeline.db');
const idOf = (index: number): PointId => taken[index]?.points[0]?.pointId as PointId;
async function open<T>(use: (engine: VmEngine) => Promise<T>): Promise<T> {
  const engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}
const hashIn = (engine: VmEngine, indexes: readonly number[]): Promise<string[]> =>
  Promise.all(indexes.map(index => engine.hashPoint(idOf(index))));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-circle-'));
  taken = [];
  hashes = await open(async engine => {
    await engine.createDisk(diskId, 8 * 2 ** 20);
    for (let index = 0; index < POINTS; index++) {
      engine.volume(diskId).write(Buffer.alloc(2 * UNIT, 1 + index), index * UNIT);
      taken.push(await engine.takeMoment({ name: `p${index}`, note: '', kind: 'manual' }));
    }
    await engine.settle();
    return hashIn(engine, [0, 1, 2, 3]);
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function changeRows(change: (points: PointRow[], moments: MomentRow[]) => readonly (PointRow | MomentRow)[]) {
  const store = openTimelineStore(database());
  const rows = change(
    taken.map(({ points }) => store.rows('point').find(({ id }) => id === points[0]?.pointId) as PointRow),
    store.rows('moment'),
  );
  store.commit(rows.map(row => ('diskId' in row ? put('point', row) : put('moment', row))));
  store.close();
}
const parentOf = (point: PointRow | undefined, parent: PointRow | undefined): PointRow =>
  ({ ...point, parent: parent?.id }) as PointRow;

describe('T5: parents in a circle in the rows', () => {
  it.each([
    ['that Now stands on', ([, , p2, p3]: PointRow[]) => [parentOf(p3, p2)]],
    ['of one point that Now stands on', ([, , , p3]: PointRow[]) => [parentOf(p3, p3)]],
  ])(
    '%s: the folder is not opened, nothing is changed, and the headers still tell all of it',
    async (_, change) => {
      changeRows(change);
      const before = cpAside();
      await expect(open(async () => undefined)).rejects.toThrow(/form a cycle/);
      expect(imagesIn(folder)).toEqual(imagesIn(before));
      rmSync(before, { recursive: true });
      expect(await rescueFolder(folder, true)).toMatchObject({ points: POINTS, nameless: 0, notes: [] });
      expect(await open(engine => hashIn(engine, [0, 1, 2, 3]))).toEqual(hashes);
    },
  );

  it('aside of Now: those in it are not read, all others are, and it settles', async () => {
    changeRows(([p0, p1]) => [parentOf(p1, p0)]);
    await open(async engine => {
      for (const index of [0, 1]) await expect(engine.hashPoint(idOf(index))).rejects.toThrow(/form a cycle/);
      expect(await hashIn(engine, [2, 3])).toEqual(hashes.slice(2));
      await engine.settle();
      expect(engine.timeline()).toMatchObject({ moments: { length: POINTS }, settle: { state: 'rest' } });
    });
  });

  it('of moments in the trash: what came after them follows nobody', async () => {
    changeRows((_, moments) => inCircle(moments));
    await open(async engine => {
      const { moments, trash } = engine.timeline();
      expect([moments.map(({ parentId }) => parentId), trash.length]).toEqual([[null, taken[2]?.id], 2]);
    });
  });
});

/** The first two follow each other, and are in the trash. */
const inCircle = ([m0, m1]: MomentRow[]): MomentRow[] =>
  m0 === undefined || m1 === undefined
    ? []
    : [
        { ...m0, parentId: m1.id, trashedAt: 1 },
        { ...m1, parentId: m0.id, trashedAt: 1 },
      ];

function cpAside(): string {
  const copy = mkdtempSync(join(tmpdir(), 'ebb-circle-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
}
const imagesIn = (path: string): string[] => {
  const disk = openFolder(join(path, 'disks', diskId));
  const images = disk.list().filter(name => name.endsWith('.vhd'));
  return images.map(name => `${name} ${sha(readFileSync(join(disk.path, name)))}`);
};
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As another program might, or a disk that mixes sectors up. */
function hangOff(index: number, parent: number): void {
  const file = openFolder(join(folder, 'disks', diskId)).open(`${idOf(index)}.vhd`, 'existing');
  const image = Image.open(file, idOf(index));
  image.become({ uuid: idOf(index), parent: { uuid: idOf(parent), name: `${idOf(parent)}.vhd` } });
  image.writeEndFooter();
  image.close();
}

describe('T5: parents in a circle in the headers', () => {
  it.each([
    ['two', 0],
    ['one', 1],
  ])(
    'of %s: rescue leaves them out and says so; the script lists them as what they are',
    async (_, parent) => {
      hangOff(1, parent);
      expect(await open(engine => hashIn(engine, [0, 1, 2, 3])), 'the rows are the truth').toEqual(hashes);
      for (const name of [database(), join(folder, 'timeline.json')]) rmSync(name);
      const before = imagesIn(folder);
      const { points, notes } = await rescueFolder(folder, false);
      expect([points, notes.length]).toEqual([2, 2]);
      for (const index of [0, 1]) expect(notes.join()).toContain(idOf(index));
      expect(imagesIn(folder)).toEqual(before);
      await open(async engine => {
        expect(engine.timeline().moments).toHaveLength(2);
        expect(await hashIn(engine, [2, 3])).toEqual(hashes.slice(2));
        await engine.settle();
        expect(await hashIn(engine, [2, 3])).toEqual(hashes.slice(2));
      });
      const script = (...args: string[]) =>
        spawnSync('python3', [join(folder, 'rescue.py'), ...args], { encoding: 'utf8', timeout: 60_000 });
      const listed = script();
      expect(listed).toMatchObject({ status: 0, stderr: '' });
      expect(listed.stdout.match(/a file it needs is missing/g)).toHaveLength(2);
      const out = join(folder, 'out.img');
      expect(script(idOf(0), out).status).toBe(1);
      expect(script(idOf(2), out)).toMatchObject({ status: 0, stderr: '' });
      expect(sha(readFileSync(out))).toBe(hashes[2]);
    },
  );
});

it('T5: moments that the mirror has in a circle are a line again after rescue', async () => {
  const path = join(folder, 'timeline.json');
  const mirror = JSON.parse(readFileSync(path, 'utf8')) as { moments: MomentRow[] };
  const [m0, m1, ...others] = mirror.moments;
  for (const moments of [inCircle([m0, m1] as MomentRow[]), [{ ...m0, parentId: m1?.id }, m1]]) {
    writeFileSync(path, JSON.stringify({ ...mirror, moments: [...moments, ...others] }));
    rmSync(database());
    expect(await rescueFolder(folder, false)).toMatchObject({ points: POINTS, nameless: 0 });
    await open(async engine => {
      const { moments: live, trash } = engine.timeline();
      const rows = new Map([...live, ...trash].map(row => [row.id, row.parentId]));
      expect(rows.size).toBe(POINTS);
      for (const id of rows.keys()) {
        let steps = 0;
        for (let at: typeof id | null = id; at !== null; at = rows.get(at) ?? null)
          expect(++steps).toBeLessThanOrEqual(POINTS);
      }
      expect(await hashIn(engine, [0, 1, 2, 3])).toEqual(hashes);
    });
  }
});
