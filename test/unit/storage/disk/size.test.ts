// T15: the limits, reached. Files are made beside the engine where taking each point would be a test of fdatasync.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../../../electron/platform/folder.ts';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { NOTES_BYTES_MAX, POINTS_MAX } from '../../../../electron/storage/disk/engine-faults.ts';
import { Image } from '../../../../electron/storage/disk/image.ts';
import { DATABASE_NAME, openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { writePage } from '../../../../electron/storage/disk/page.ts';
import { rescueFolder } from '../../../../electron/storage/disk/rescue-folder.ts';
import { openTimelineStore } from '../../../../electron/storage/disk/sqlite-store.ts';
import { type Change, put } from '../../../../electron/storage/disk/state.ts';
import { VIRTUAL_BYTES_MAX } from '../../../../electron/storage/vhd/geometry.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import { isOversize } from '../../../../shared/rpc/frame.ts';
import type { ShallowAsked, ShallowFound } from '../../../support/shallow-stack.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const BLOCK_BYTES = 2 * MIB;
const UNIT = 4096;
/** A CHS product. */
const TREE_BYTES = 24 * MIB - ((24 * MIB) % (17 * 4 * 512 * 2));
/** 280 ms where nothing else runs. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const uuid = (kind: string, index: number): string =>
  `00000000-0000-4000-${kind}-${index.toString(16).padStart(12, '0')}`;
const pointId = (index: number): PointId => uuid('9000', index) as PointId;
const momentId = (index: number): MomentId => uuid('a000', index) as MomentId;
const leafId = uuid('b000', 0) as PointId;

let folder: string;
let engine: VmEngine | null = null;

async function open(): Promise<VmEngine> {
  engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
  return engine;
}
const take = (live: VmEngine): Promise<{ readonly id: MomentId }> =>
  live.takeMoment({ name: 'taken', note: '', kind: 'manual' });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-size-'));
});
afterEach(async () => {
  await engine?.close().catch(() => undefined);
  engine = null;
  rmSync(folder, { recursive: true, force: true });
});

/**
 * A tree at rest: 0 is the root and the newest, each other one hangs off the next newer, every tenth is a branch that
 * nothing hangs off. Point n holds n in unit n of the first block, the root's first block is 0xaa.
 */
function makeTree(points: number, virtualBytes: number): void {
  const disks = openFolder(join(folder, 'disks', diskId));
  const changes: Change[] = [];
  const create = (id: PointId, parent: PointId | null, unit: number | null): void => {
    const image = Image.create(disks.open(`${id}.vhd`, 'create'), {
      uuid: id,
      virtualBytes,
      blockBytes: BLOCK_BYTES,
      parent: parent === null ? null : { uuid: parent, name: `${parent}.vhd` },
      timestampMs: 0,
      isLeaf: id === leafId,
    });
    if (unit !== null) {
      const slot = image.reserve();
      const units = new Uint8Array(image.unitsPerBlock).fill(parent === null ? 0xff : 0);
      units[unit] = 0xff;
      image.fillSlot(slot, unit * UNIT, Buffer.alloc(UNIT, parent === null ? 0xaa : 1 + (unit % 250)));
      writePage(image, 0, slot, { units, sums: null });
      image.publish(new Map([[0, slot]]));
      image.writeBat([0], image.bat);
      image.writeEndFooter();
    }
    image.close();
  };
  for (let index = 0; index < points; index++) {
    const parent = index === 0 ? null : pointId(parentOf(index));
    create(pointId(index), parent, index % 512);
    const note = index < WORST_NOTES ? WORST_NOTE : '';
    const moment = { id: momentId(index), name: WORST_NAME, note, kind: 'manual' as const };
    const parentId = index === points - 1 ? null : momentId(index + 1);
    changes.push(
      put('moment', { ...moment, parentId, pinned: false, takenAt: index, trashedAt: null }),
      put('point', { id: pointId(index), diskId, momentId: moment.id, parent, sums: true, origin: null }),
    );
  }
  create(leafId, pointId(0), null);
  changes.push(
    put('disk', { id: diskId, virtualBytes, blockBytes: BLOCK_BYTES, leaf: leafId, leafParent: pointId(0) }),
    put('now', { id: 'now', momentId: momentId(0) }),
  );
  const store = openTimelineStore(join(folder, DATABASE_NAME));
  store.commit(changes);
  store.close();
}

/** Each character is six in JSON: as long as a name and a note get. */
const [WORST_NAME, WORST_NOTE] = ['\u0001'.repeat(200), '\u0001'.repeat(4000)];
const WORST_NOTES = Math.floor(NOTES_BYTES_MAX / JSON.stringify(WORST_NOTE).length);

/** Printed, with this process's own time: a loaded machine may let it wait. */
async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const [began, usage] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(usage);
  const ownMs = (user + system) / 1000;
  console.info(`${what}: ${Math.round(performance.now() - began)} ms, ${Math.round(ownMs)} of its own`);
  return result;
}

/** Half of it is Node's; the smallest frame of a function takes some eighty bytes. */
const STACK_MB = 0.4;
const SHALLOW = pathToFileURL(join(import.meta.dirname, '../../../support/shallow-stack.ts'));

function inShallowStack(workerData: ShallowAsked): Promise<ShallowFound> {
  const worker = new Worker(SHALLOW, { workerData, resourceLimits: { stackSizeMb: STACK_MB } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', code => reject(new Error(`it ended with ${code}`)));
  });
}

const parentOf = (index: number): number => (index % 10 === 1 && index > 1 ? index - 2 : index - 1);

/** SHA-256 of a point of the tree that `makeTree` makes. */
function shaOf(index: number, virtualBytes: number): string {
  const content = Buffer.alloc(virtualBytes);
  content.fill(0xaa, 0, BLOCK_BYTES);
  const path: number[] = [];
  for (let at = index; at > 0; at = parentOf(at)) path.unshift(at);
  for (const at of path) content.fill(1 + ((at % 512) % 250), (at % 512) * UNIT, ((at % 512) + 1) * UNIT);
  return createHash('sha256').update(content).digest('hex');
}

describe('limits', () => {
  it(`T15: a tree of ${POINTS_MAX} points opens, answers every question, and refuses one more`, async () => {
    makeTree(POINTS_MAX - 1, TREE_BYTES);
    const live = await timed(`opening ${POINTS_MAX - 1} points`, open);
    expect(live.timeline().settle.state).toBe('rest');
    await take(live);
    await expect(take(live)).rejects.toMatchObject({ body: { code: 'limit.reached' } });
    const timeline = await timed('the timeline', () => live.timeline());
    expect(timeline.moments).toHaveLength(POINTS_MAX);
    await timed('the timeline again', () => live.timeline());
    const longer = live.updateMoment({ momentId: momentId(WORST_NOTES), note: WORST_NOTE });
    await expect(longer).rejects.toMatchObject({ body: { code: 'limit.reached' } });
    expect(isOversize(JSON.stringify(live.timeline()))).toBe(false);
    const oldest = momentId(POINTS_MAX - 2);
    const cost = await timed('the cost of the oldest', () => live.inspect.cost(oldest));
    expect(cost.freesNowBytes).toBeGreaterThan(0);
    const compared = await timed('the oldest compared with Now', () => live.inspect.compare(oldest, null));
    expect(compared[0]?.difference.bytes).toBeGreaterThan(UNIT);
    const unit = Buffer.alloc(UNIT);
    await timed('the oldest read', () =>
      live.pointReader(pointId(POINTS_MAX - 2)).read(unit, ((POINTS_MAX - 2) % 512) * UNIT),
    );
    expect(unit.equals(Buffer.alloc(UNIT, 1 + (((POINTS_MAX - 2) % 512) % 250)))).toBe(true);
    const back = await timed('verifying a piece', () => live.verifier.some(null, MIB));
    expect(back.cursor).not.toBeNull();
    await timed('going back to the oldest', () => live.goBack({ momentId: oldest, keepName: 'kept' }));
    expect(live.timeline().settle.pendingEdges).toBeGreaterThan(0.8 * POINTS_MAX);
    await live.deleteMoment(momentId(0));
    await timed('purging one', () => live.purge(() => true));
  }, 300_000);

  it(`T5, T15: of ${POINTS_MAX - 1} points the oldest is hashed, written as an update, rescued, and read by the script`, async () => {
    makeTree(POINTS_MAX - 1, TREE_BYTES);
    const oldest = POINTS_MAX - 2;
    const expected = shaOf(oldest, TREE_BYTES);
    let live = await open();
    expect(await timed('its hash', () => live.hashPoint(pointId(oldest)))).toBe(expected);
    const place = { folder: openFolder(join(folder, 'out')), name: 'update.vhd' };
    const order = { fromId: pointId(0), toId: pointId(oldest), cursor: null, budgetBytes: 2 ** 40 };
    const delta = await timed('its difference from the newest', () => live.deltas.some(place, order, 0));
    expect(delta).toMatchObject({ cursor: null, totalBytes: TREE_BYTES });
    expect(delta.writtenBytes).toBeGreaterThan(0.9 * 512 * UNIT);
    await live.close();
    for (const name of [DATABASE_NAME, 'timeline.json']) rmSync(join(folder, name), { force: true });
    const rescued = await timed('rescue', () => rescueFolder(folder, false));
    expect(rescued).toMatchObject({ points: POINTS_MAX - 1, notes: [] });
    live = await timed('opening what was rescued', open);
    expect(await live.hashPoint(pointId(oldest))).toBe(expected);
    await live.close();

    const script = (...args: string[]) =>
      // As many files as most systems let a process open.
      spawnSync('sh', ['-c', 'ulimit -n 1024; exec python3 "$@"', 'sh', join(folder, 'rescue.py'), ...args], {
        encoding: 'utf8',
        maxBuffer: 16 * MIB,
      });
    const listed = await timed('rescue.py lists them', () => script());
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout.match(/ differences /g)).toHaveLength(POINTS_MAX - 1);
    expect(listed.stdout).not.toMatch(/missing|cannot be used/);
    const out = join(folder, 'oldest.img');
    const written = await timed('rescue.py writes the oldest', () => script(pointId(oldest), out));
    expect(written).toMatchObject({ status: 0, stderr: '' });
    expect(createHash('sha256').update(readFileSync(out)).digest('hex')).toBe(expected);
  }, 300_000);

  it(`T15: no walk calls itself: in a stack of ${STACK_MB} MiB all is answered, too`, async () => {
    const points = POINTS_MAX - 1;
    makeTree(points, TREE_BYTES);
    const at = (index: number) => ({ momentId: momentId(index), pointId: pointId(index) });
    const asked: ShallowAsked = { folder, vmId, diskId, points, newest: at(0), oldest: at(points - 1) };
    const found = await timed('all of it, with a shallow stack', () => inShallowStack(asked));
    const sha256 = shaOf(points - 1, TREE_BYTES);
    expect(found).toEqual({
      recursion: 'no room',
      sha256,
      nowSha256: sha256,
      moments: points - 1,
      rescued: points,
    });
  }, 300_000);

  it('T15: a disk of 2040 GiB is written at its end, taken, reversed and read back; one byte more is refused', async () => {
    const live = await open();
    await expect(live.createDisk(diskId, VIRTUAL_BYTES_MAX + 1)).rejects.toMatchObject({
      body: { code: 'disk.too-large' },
    });
    await timed('creating 2040 GiB', () => live.createDisk(diskId, VIRTUAL_BYTES_MAX));
    const volume = live.volume(diskId);
    expect(volume.sizeBytes).toBe(VIRTUAL_BYTES_MAX);
    const at = VIRTUAL_BYTES_MAX - 3 * UNIT;
    const [one, two] = [Buffer.alloc(3 * UNIT, 1), Buffer.alloc(UNIT, 2)];
    volume.write(one, at);
    volume.write(one, 0);
    await timed('taking a point of it', () => take(live));
    volume.write(two, at + 2 * UNIT);
    await take(live);
    await timed('reversing an edge of 2040 GiB', () => live.settle());
    const { moments, settle } = live.timeline();
    expect(settle).toMatchObject({ state: 'rest', pendingEdges: 0 });
    const [first, second] = moments.map(({ points }) => points[0]);
    expect([first?.form, second?.form]).toEqual(['delta', 'root']);
    const tail = (id: PointId | undefined): Buffer => {
      const bytes = Buffer.alloc(3 * UNIT);
      live.pointReader(id as PointId).read(bytes, at);
      return bytes;
    };
    expect(tail(first?.pointId).equals(one)).toBe(true);
    expect(tail(second?.pointId).equals(Buffer.concat([one.subarray(UNIT), two]))).toBe(true);
    const [compared] = await timed('comparing', () => live.inspect.compare(moments[0]?.id ?? null, null));
    expect(compared?.difference.ranges).toEqual([{ offset: at + 2 * UNIT, length: UNIT }]);
    // Sparse: nothing is filled that was not written.
    const path = join(folder, 'disks', diskId, `${second?.pointId}.vhd`);
    expect(statSync(path).blocks * 512).toBeLessThan(32 * MIB);
  }, 120_000);
});
