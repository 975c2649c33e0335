// T5: the headers are enough. A folder whose database is gone gets its points, its branches, its names and Now back.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { hashVolume } from '../../../../electron/storage/disk/hash.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { rescueFolder } from '../../../../electron/storage/disk/rescue-folder.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const UNIT = 4096;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
let engine: VmEngine;
/** SHA-256 of each point, by UUID. */
const points = new Map<string, string>();

const open = (): Promise<VmEngine> => openVmFolder(vmId, folder, { turn }, { autoSettle: false });
const write = (unit: number, units: number, value: number): void =>
  engine.volume(diskId).write(Buffer.alloc(units * UNIT, value), unit * UNIT);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const now = (): Promise<string> => hashVolume(engine.volume(diskId), turn);
const pointId = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;

async function take(name: string): Promise<Moment> {
  const moment = await engine.takeMoment({ name, note: `about ${name}`, kind: 'manual' });
  points.set(pointId(moment), await engine.hashPoint(pointId(moment)));
  return moment;
}
const drop = (...names: string[]): void => {
  for (const name of names) rmSync(join(folder, name), { force: true });
};

/** first ← second, and a branch from first with third on it; Now on the branch, with something unsaved in it. */
async function history(settled: boolean): Promise<{ first: Moment; now: string }> {
  write(0, 20, 1);
  const first = await take('first');
  write(5, 3, 2);
  await take('second');
  if (settled) await engine.settle();
  await engine.goBack({ momentId: first.id, keepName: 'kept' });
  write(700, 4, 3);
  await take('third');
  write(30, 4, 4);
  await engine.volume(diskId).flush();
  if (settled) await engine.settle();
  return { first, now: await now() };
}

async function checkAll(expected: string): Promise<void> {
  expect(await now()).toBe(expected);
  for (const [id, sha] of points) expect(await engine.hashPoint(id as PointId), id).toBe(sha);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-rescue-'));
  points.clear();
  engine = await open();
  await engine.createDisk(diskId, 24 * MIB);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('T5: rescue', () => {
  it.each([true, false])('brings back points, names, branches and Now (settled: %s)', async settled => {
    const { now: expected } = await history(settled);
    const before = engine.timeline().moments;
    await engine.close();
    drop('timeline.db');
    await expect(open()).rejects.toMatchObject({ body: { code: 'timeline.missing' } });
    expect(await rescueFolder(folder, false)).toMatchObject({ points: 3, nameless: 0, notes: [] });
    engine = await open();
    await checkAll(expected);
    const after = engine.timeline().moments;
    const told = ({ id, name, note, parentId, takenAt }: Moment) => ({ id, name, note, parentId, takenAt });
    expect(after.map(told)).toEqual(before.map(told));
    await engine.settle();
    await checkAll(expected);
    expect(engine.timeline().settle.state).toBe('rest');
  });

  it.each([true, false])('finds every point and Now from the headers alone (settled: %s)', async settled => {
    const { now: expected } = await history(settled);
    // As a crash leaves it where nothing is settled, and as a wanted end does where all is.
    if (settled) await engine.close();
    const found = mkdtempSync(join(tmpdir(), 'ebb-rescue-'));
    cpSync(folder, found, { recursive: true });
    if (!settled) await engine.close();
    rmSync(folder, { recursive: true });
    folder = found;
    drop('timeline.db', 'timeline.json');
    expect(await rescueFolder(folder, false)).toMatchObject({ points: 3, nameless: 3 });
    engine = await open();
    await checkAll(expected);
    await engine.settle();
    await checkAll(expected);
  });

  it('goes on with an edge that was being turned', async () => {
    write(0, 512 * 4, 1);
    await take('first');
    write(0, 512 * 4, 2);
    await take('second');
    const expected = await now();
    const settling = engine.settle();
    while ((engine.timeline().settle.reversal?.blocksDone ?? 0) === 0) await turn();
    engine.setSettling(false);
    await settling;
    await engine.close();
    expect(readdirSync(join(folder, 'disks', diskId)).some(name => name.endsWith('.new'))).toBe(true);
    drop('timeline.db', 'timeline.json');
    await rescueFolder(folder, false);
    engine = await open();
    await checkAll(expected);
    await engine.settle();
    await checkAll(expected);
    expect(engine.timeline().disks[0]?.depth).toBe(1);
  });

  it('puts a ruined database aside, and leaves one that can be read alone', async () => {
    const { now: expected } = await history(true);
    await engine.close();
    await expect(rescueFolder(folder, false)).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
    writeFileSync(
      join(folder, 'timeline.db'),
      'not a database, and long enough to be looked at as one'.repeat(40),
    );
    await expect(open()).rejects.toMatchObject({
      body: { code: 'timeline.missing', data: { isDamaged: true } },
    });
    await rescueFolder(folder, false);
    expect(readdirSync(folder).filter(name => name.includes('damaged'))).toHaveLength(1);
    engine = await open();
    await checkAll(expected);
  });

  it('says the same of one that opens and holds what nobody can read, and not of one a newer Ebb wrote', async () => {
    const { now: expected } = await history(true);
    await engine.close();
    const path = join(folder, 'timeline.db');
    const whole = readFileSync(path);
    const edit = (sql: string): void => {
      const db = new Database(path);
      db.exec(sql);
      db.close();
    };
    edit('PRAGMA user_version = 1000');
    await expect(open()).rejects.toMatchObject({ body: { code: 'disk.io' } });
    await expect(rescueFolder(folder, false)).rejects.toMatchObject({ body: { code: 'disk.io' } });
    for (const body of ['{"id":', '{"id":"x"}']) {
      writeFileSync(path, whole);
      edit(`UPDATE row SET body = '${body}' WHERE kind = 'point'`);
      await expect(open()).rejects.toMatchObject({
        body: { code: 'timeline.missing', data: { isDamaged: true } },
      });
    }
    await rescueFolder(folder, true);
    engine = await open();
    await checkAll(expected);
  });

  it('makes a new leaf where it was lost, and says what hangs off nothing', async () => {
    const { first } = await history(true);
    await engine.close();
    const disk = join(folder, 'disks', diskId);
    const leaf = readdirSync(disk).find(name => name.endsWith('.vhd') && !points.has(name.slice(0, 36)));
    drop('timeline.db', join('disks', diskId, leaf ?? 'none'));
    // `first` is what `second` hangs off.
    rmSync(join(disk, `${pointId(first)}.vhd`));
    const { notes } = await rescueFolder(folder, false);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('hangs off a file that is not there');
    engine = await open();
    const left = engine.timeline().moments.map(({ name }) => name);
    expect(left).toEqual(['third']);
    const third = engine.timeline().moments[0] as Moment;
    expect(await now()).toBe(points.get(pointId(third)));
  });

  it('T4, T5: the script left in the folder reads every point and Now, without database, Ebb or Node', async () => {
    const { now: expected } = await history(true);
    await engine.close();
    drop('timeline.db', 'timeline.json');
    const script = join(folder, 'rescue.py');
    const run = (...args: string[]) => spawnSync('python3', [script, ...args], { encoding: 'utf8' });
    expect(run(), 'python3 is brought by the bootstrap').toMatchObject({ status: 0, stderr: '' });
    for (const [id, sha] of points) {
      const out = join(folder, `${id}.img`);
      expect(run(id, out)).toMatchObject({ status: 0, stderr: '' });
      expect(sha256(readFileSync(out)), id).toBe(sha);
    }
    const leaf = readdirSync(join(folder, 'disks', diskId)).find(
      name => name.endsWith('.vhd') && !points.has(name.slice(0, 36)),
    );
    const out = join(folder, 'now.img');
    expect(run(leaf?.slice(0, 8) ?? '', out).status).toBe(0);
    expect(sha256(readFileSync(out))).toBe(expected);
    expect(run('--verify')).toMatchObject({ status: 0, stdout: expect.stringContaining('0 damaged') });
  });

  it('T4: the script reads every point of a disk that grew, also of a branch that grew from an older, smaller one', async () => {
    const before = engine.volume(diskId).sizeBytes;
    write(0, 20, 1);
    const first = await take('first');
    await engine.growDisk(diskId, before + 8 * MIB);
    write(before / UNIT + 100, 20, 2);
    const second = await take('second');
    await engine.settle();
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    await engine.growDisk(diskId, before + 8 * MIB);
    write(3, 5, 3);
    await take('third');
    const check = async (): Promise<void> => {
      await engine.close();
      for (const [id, sha] of points) {
        const out = join(folder, `${id}.img`);
        rmSync(out, { force: true });
        const ran = spawnSync('python3', [join(folder, 'rescue.py'), id, out], { encoding: 'utf8' });
        expect(ran).toMatchObject({ status: 0, stderr: '' });
        expect(sha256(readFileSync(out)), id).toBe(sha);
      }
      engine = await open();
    };
    await check();
    await engine.goBack({ momentId: second.id, keepName: 'also kept' });
    await engine.settle();
    await check();
  });

  it('T3: the script reads every point of an edge that is being turned', async () => {
    write(0, 512 * 4, 1);
    await take('first');
    write(0, 512 * 4, 2);
    await take('second');
    const settling = engine.settle();
    while ((engine.timeline().settle.reversal?.blocksDone ?? 0) === 0) await turn();
    engine.setSettling(false);
    await settling;
    await engine.close();
    for (const [id, sha] of points) {
      const out = join(folder, `${id}.img`);
      const ran = spawnSync('python3', [join(folder, 'rescue.py'), id, out], { encoding: 'utf8' });
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      expect(sha256(readFileSync(out)), id).toBe(sha);
    }
  });

  it('the script lists what can be read where a file beside it is bad, in whatever way, and takes no room for one', async () => {
    await history(true);
    await engine.close();
    const disk = join(folder, 'disks', diskId);
    const [some = ''] = points.keys();
    const good = readFileSync(join(disk, `${some}.vhd`));
    const spoiled = (at: number, value: number): Buffer => {
      const bytes = Buffer.from(good);
      const header = Number(bytes.readBigUInt64BE(16));
      bytes.writeUInt32BE(value, header + at);
      bytes.writeUInt32BE(0, header + 36);
      const sum = bytes.subarray(header, header + 1024).reduce((all, byte) => all + byte, 0);
      bytes.writeUInt32BE(~sum >>> 0, header + 36);
      return bytes;
    };
    const bad: Readonly<Record<string, Buffer>> = {
      '1-entries.vhd': spoiled(28, 0xffff_fff0),
      '2-table.vhd': spoiled(16, 0xffff_fff0),
      '3-block.vhd': spoiled(32, 0),
      '4-empty.vhd': Buffer.alloc(0),
      '5-short.vhd': good.subarray(0, 700),
    };
    for (const [name, bytes] of Object.entries(bad)) writeFileSync(join(disk, name), bytes);
    mkdirSync(join(disk, '6-folder.vhd'));
    symlinkSync('7-itself.vhd', join(disk, '7-itself.vhd'));
    spawnSync('mkfifo', [join(disk, '8-pipe.vhd')]);
    // 16 GiB for the table of the first would be refused here.
    const command = ['-c', `ulimit -v 600000; exec python3 ${join(folder, 'rescue.py')}`];
    const ran = spawnSync('sh', command, { encoding: 'utf8', timeout: 60_000 });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    for (const name of [...Object.keys(bad), '6-folder.vhd', '7-itself.vhd', '8-pipe.vhd'])
      expect(ran.stdout).toContain(`  ${name} cannot be used: `);
    for (const id of points.keys()) expect(ran.stdout).toContain(`  ${id} `);
    const out = join(folder, 'some.img');
    const written = spawnSync('python3', [join(folder, 'rescue.py'), some, out], { encoding: 'utf8' });
    expect(written).toMatchObject({ status: 0, stderr: '' });
    expect(sha256(readFileSync(out))).toBe(points.get(some));
  });

  it('refuses a folder without one whole image, and changes nothing', async () => {
    await engine.close();
    const disk = join(folder, 'disks', diskId);
    const [name] = readdirSync(disk).filter(file => file.endsWith('.vhd'));
    const path = join(disk, name ?? '');
    const bytes = readFileSync(path);
    bytes[600] = (bytes[600] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    drop('timeline.db');
    await expect(rescueFolder(folder, false)).rejects.toMatchObject({ body: { code: 'vhd.corrupt' } });
    expect(existsSync(join(folder, 'timeline.db'))).toBe(false);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});
