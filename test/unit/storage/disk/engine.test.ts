// The engine on real files, small enough for a unit test: what each operation leaves on disk, read by a stranger, and
// what bad input gets.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { sumsBytes } from '../../../../electron/storage/disk/sums.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
let engine: VmEngine;
let model: Buffer;
let seed = 7;

const open = (): Promise<VmEngine> => openVmFolder(vmId, folder, { turn }, { autoSettle: false });
const disks = (): string => join(folder, 'disks', diskId);
const file = (moment: Moment): string => join(disks(), `${moment.points[0]?.pointId}.vhd`);
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

function scribble(times: number): void {
  const volume = engine.volume(diskId);
  for (let count = 0; count < times; count++) {
    const length = 512 * (1 + Math.floor(random() * 100));
    const at = 512 * Math.floor((random() * (volume.sizeBytes - length)) / 512);
    const bytes = Buffer.alloc(length, Math.floor(random() * 255) + 1);
    volume.write(bytes, at);
    bytes.copy(model, at);
  }
}
const take = async (name: string): Promise<Moment & { sha: string }> => {
  const moment = await engine.takeMoment({ name, note: '', kind: 'manual' });
  return { ...moment, sha: sha(model) };
};
function sevenZip(path: string): string {
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', path], { maxBuffer: 256 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return sha(ran.stdout);
}

/** A frozen image gets its checksums when all is at rest, whatever else was done. */
function withoutSums(bytes: Buffer): Buffer {
  const entries = bytes.readUInt32BE(512 + 28);
  for (let block = 0; block < entries; block++) {
    const entry = bytes.readUInt32BE(1536 + block * 4);
    if (entry !== 0xffffffff) bytes.fill(0, entry * 512 - sumsBytes(512), entry * 512);
  }
  return bytes;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-engine-'));
  engine = await open();
  await engine.createDisk(diskId, 24 * MIB);
  model = Buffer.alloc(engine.volume(diskId).sizeBytes);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('operations', () => {
  it('T1: reversing an edge rewrites its two nodes alone; siblings and the leaf stay byte-identical', async () => {
    engine.setSettling(false);
    scribble(60);
    const first = await take('first');
    scribble(40);
    const branch = await take('branch');
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    engine.volume(diskId).read(model, 0);
    scribble(40);
    await engine.volume(diskId).flush();
    const second = await take('second');
    scribble(10);
    await engine.volume(diskId).flush();
    const leaf = readdirSync(disks()).filter(
      name => name.endsWith('.vhd') && ![first, branch, second].some(moment => file(moment).endsWith(name)),
    );
    expect(leaf).toHaveLength(1);
    const untouched = [file(branch), join(disks(), leaf[0] ?? '')];
    const before = untouched.map(path => sha(withoutSums(readFileSync(path))));
    engine.holdSettling(true);
    engine.setSettling(true);
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', isPaused: false, isHeld: true });
    engine.holdSettling(false);
    await engine.settle();
    expect(untouched.map(path => sha(withoutSums(readFileSync(path))))).toEqual(before);
    for (const moment of [first, branch, second]) {
      expect(await engine.hashPoint(moment.points[0]?.pointId as PointId), moment.name).toBe(moment.sha);
      // Sealed points are whole files at any time; the name is the UUID in the footer.
      expect(readFileSync(file(moment)).subarray(68, 84).toString('hex')).toBe(
        (moment.points[0]?.pointId ?? '').replaceAll('-', ''),
      );
    }
  });

  it('T9: several pending points are settled oldest first, and T4: a stranger reads every one as it was', async () => {
    engine.setSettling(false);
    const taken: (Moment & { sha: string })[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      scribble(40);
      taken.push(await take(name));
    }
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', pendingEdges: 3 });
    const order: string[] = [];
    engine.onChange(() => {
      const { reversal } = engine.timeline().settle;
      const name = engine.timeline().moments.find(moment => moment.id === reversal?.toMomentId)?.name;
      if (name !== undefined && order.at(-1) !== name) order.push(name);
    });
    engine.setSettling(true);
    await engine.settle();
    expect(order).toEqual(['b', 'c', 'd']);
    expect(engine.timeline().settle.state).toBe('rest');
    for (const moment of taken) expect(sevenZip(file(moment)), moment.name).toBe(moment.sha);
    // T5: exactly one root.
    expect(
      engine
        .timeline()
        .moments.filter(moment => moment.points[0]?.form === 'root')
        .map(moment => moment.name),
    ).toEqual(['d']);
  });

  it('T8: any moment can go: the oldest with one unlink, others are merged away, none changes another', async () => {
    scribble(40);
    const first = await take('first');
    scribble(40);
    const second = await take('second');
    scribble(40);
    const third = await take('third');
    scribble(40);
    const fourth = await take('fourth');
    await engine.settle();
    await engine.deleteMoment(first.id);
    expect(sevenZip(file(first))).toBe(first.sha);
    const reader = engine.pointReader(first.points[0]?.pointId as PointId);
    const { freedBytes } = await engine.purge(() => true);
    expect(freedBytes).toBeGreaterThan(0);
    expect(() => reader.read(Buffer.alloc(512), 0)).toThrow(/deleted for good/);
    expect(existsSync(file(first))).toBe(false);
    // One in the middle, then the newest: its image stays as long as Now needs it.
    await engine.deleteMoment(third.id);
    expect((await engine.purge(() => true)).freedBytes).toBe(0);
    await engine.settle();
    expect(existsSync(file(third))).toBe(false);
    expect(sevenZip(file(second))).toBe(second.sha);
    expect(sevenZip(file(fourth))).toBe(fourth.sha);
    await engine.deleteMoment(fourth.id);
    await engine.purge(() => true);
    await engine.settle();
    expect(engine.timeline()).toMatchObject({ nowParentId: second.id, settle: { state: 'rest' } });
    const now = Buffer.alloc(model.length);
    engine.volume(diskId).read(now, 0);
    expect(sha(now)).toBe(sha(model));
    expect(sevenZip(file(second))).toBe(second.sha);
  });

  it('T8: neighbours that go at once leave who was taken after them to the one before them', async () => {
    const [first, second, third, fourth] = [
      await take('a'),
      await take('b'),
      await take('c'),
      await take('d'),
    ];
    for (const { id } of [second, third]) await engine.deleteMoment(id);
    await engine.purge(() => true);
    expect(engine.timeline().moments).toMatchObject([
      { id: first.id, parentId: null },
      { id: fourth.id, parentId: first.id },
    ]);
    await engine.close();
    engine = await open();
    expect(engine.timeline().moments).toMatchObject([
      { id: first.id },
      { id: fourth.id, parentId: first.id },
    ]);
  });

  it('T7: a going back that is told of again is done once, also after the next point', async () => {
    scribble(40);
    const first = await take('first');
    scribble(40);
    const orderId = randomUUID() as MomentId;
    const goBack = () => engine.goBack({ momentId: first.id, keepName: 'kept', orderId });
    await goBack();
    scribble(40);
    await goBack();
    const { moments, nowBytes } = engine.timeline();
    expect(moments.map(({ id }) => id)).toEqual([first.id, orderId]);
    expect(nowBytes).toBeGreaterThan(0);
    const third = await take('third');
    await goBack();
    expect(engine.timeline()).toMatchObject({ nowParentId: third.id, moments: { length: 3 } });
  });

  it('T8: what is in the trash comes back as it was, and is nowhere to go back to meanwhile', async () => {
    scribble(40);
    const first = await take('first');
    scribble(40);
    const second = await take('second');
    await engine.deleteMoment(first.id);
    const { moments, trash } = engine.timeline();
    expect(moments).toMatchObject([{ id: second.id, parentId: null }]);
    expect(trash).toMatchObject([{ id: first.id }]);
    await expect(engine.goBack({ momentId: first.id, keepName: 'kept' })).rejects.toMatchObject({
      body: { code: 'moment.not-found' },
    });
    await engine.restoreMoment(first.id);
    await engine.settle();
    expect(engine.timeline()).toMatchObject({
      moments: [{ id: first.id }, { id: second.id, parentId: first.id }],
      trash: [],
    });
    expect(sevenZip(file(first))).toBe(first.sha);
  });

  it('T8: a pinned moment is not deleted', async () => {
    const pinned = await take('pinned');
    await engine.updateMoment({ momentId: pinned.id, pinned: true });
    await expect(engine.deleteMoment(pinned.id)).rejects.toMatchObject({ body: { code: 'moment.pinned' } });
  });

  it('T17: at rest Now is exactly one VHD, and what rested is merged away when the next moment is taken', async () => {
    scribble(40);
    const first = await take('first');
    scribble(40);
    await engine.rest();
    await engine.settle();
    const root = engine.timeline();
    expect(root.disks[0]?.depth).toBe(1);
    expect(root.nowBytes).toBeGreaterThan(0);
    const names = (): string[] => readdirSync(dirname(file(first))).filter(name => name.endsWith('.vhd'));
    // First, Now, and the empty leaf.
    expect(names().length).toBe(3);
    expect(names().some(name => sevenZip(join(dirname(file(first)), name)) === sha(model))).toBe(true);
    scribble(40);
    const second = await take('second');
    await engine.settle();
    expect(names().length).toBe(3);
    expect(sevenZip(file(first))).toBe(first.sha);
    expect(sevenZip(file(second))).toBe(second.sha);
  });

  it('T6: a take while writes are in flight seals what was written before it, and nothing after', async () => {
    scribble(40);
    const before = Buffer.from(model);
    const taking = engine.takeMoment({ name: 'now', note: '', kind: 'manual' });
    const moment = await taking;
    scribble(40);
    expect(await engine.hashPoint(moment.points[0]?.pointId as PointId)).toBe(sha(before));
    const now = Buffer.alloc(model.length);
    engine.volume(diskId).read(now, 0);
    expect(sha(now)).toBe(sha(model));
  });

  it('T12: closed and opened again, everything is as it was', async () => {
    scribble(40);
    const moment = await take('one');
    scribble(40);
    await engine.close();
    engine = await open();
    const now = Buffer.alloc(model.length);
    engine.volume(diskId).read(now, 0);
    expect(sha(now)).toBe(sha(model));
    expect(await engine.hashPoint(moment.points[0]?.pointId as PointId)).toBe(moment.sha);
  });
});

describe('bad input', () => {
  it('a truncated image is refused with the field, and left alone', async () => {
    scribble(40);
    const moment = await take('one');
    await engine.close();
    truncateSync(file(moment), 1000);
    await expect(open()).rejects.toMatchObject({
      body: { code: 'vhd.corrupt', what: expect.stringContaining('truncated') },
    });
    expect(readFileSync(file(moment))).toHaveLength(1000);
  });

  it('a damaged footer is refused with what was found and expected', async () => {
    const moment = await take('one');
    await engine.close();
    const bytes = readFileSync(file(moment));
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    writeFileSync(file(moment), bytes);
    await expect(open()).rejects.toMatchObject({
      body: { code: 'vhd.corrupt', what: expect.stringMatching(/checksum is \d+, expected \d+/) },
    });
  });

  it('T5: a point whose parent is gone is refused, naming the file', async () => {
    scribble(20);
    const moment = await take('one');
    await engine.close();
    renameSync(file(moment), `${file(moment)}.away`);
    await expect(open()).rejects.toMatchObject({
      body: { code: 'vhd.parent-missing', what: expect.stringContaining('is not in') },
    });
    renameSync(`${file(moment)}.away`, file(moment));
    engine = await open();
    expect(engine.timeline().moments).toHaveLength(1);
  });

  it('a folder another living process owns is refused; a dead owner is succeeded', async () => {
    await engine.close();
    const module = new URL('../../../../electron/platform/lock.ts', import.meta.url).href;
    const script = `const { takeLock } = await import('${module}');
      console.log(takeLock(process.argv[1]).ok); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script, join(folder, '.lock')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise(resolve => owner.once('close', resolve));
    try {
      const [answer] = await once(owner.stdout, 'data');
      expect(String(answer).trim()).toBe('true');
      await expect(open()).rejects.toMatchObject({
        body: { code: 'disk.owned-elsewhere', data: { pid: owner.pid } },
      });
    } finally {
      owner.kill('SIGKILL');
    }
    await ended;
    engine = await open();
  });

  it('T15: a disk beyond 2040 GiB is refused', async () => {
    await expect(
      engine.createDisk('00000000-0000-4000-8000-000000000009' as DiskId, 2041 * 2 ** 30),
    ).rejects.toMatchObject({ body: { code: 'disk.too-large' } });
  });
});
