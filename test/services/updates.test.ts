// An update made on one computer and applied on another, through the whole of Ebb twice; and updates that other programs
// made, some of them to harm. No guest runs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { Fault } from '../../shared/result.ts';
import type { DiskFormat } from '../../shared/vm.ts';
import { Ebb } from '../support/ebb.ts';
import { randomBytes } from '../support/seeded.ts';
import { type ForeignVhd, writeForeignVhd } from '../support/vhd-writer.ts';

const MIB = 2 ** 20;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let here: Ebb;
let there: Ebb;
const folder = mkdtempSync(join(tmpdir(), 'ebb-upd-'));
const at = (name: string): string => join(folder, name);
const base = randomBytes(20 * MIB, 41);
const newer = Buffer.from(base);
newer.fill(0x11, 3 * MIB + 512, 4 * MIB);
newer.fill(0, 9 * MIB, 13 * MIB);

beforeAll(async () => {
  here = await Ebb.start();
  there = await Ebb.start();
});
afterAll(async () => {
  await here?.dispose();
  await there?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

let names = 0;
async function vmFrom(ebb: Ebb, path: string, format: DiskFormat): Promise<VmId> {
  const { file } = await ebb.call('file.register', { path });
  const { vmId, taskId } = await ebb.call('vm.create', {
    name: `vm ${++names}`,
    os: 'other',
    cpus: 1,
    minKib: 128 * 1024,
    maxKib: 256 * 1024,
    source: { kind: 'disk', file, format },
  });
  await ebb.done(taskId);
  return vmId;
}

async function importDelta(
  ebb: Ebb,
  vmId: VmId,
  path: string,
  more: { ontoId?: MomentId; name?: string } = {},
): Promise<void> {
  const { file } = await ebb.call('file.register', { path });
  const { taskId } = await ebb.call('moment.import-delta', { vmId, file, ...more });
  const task = await ebb.done(taskId);
  expect(task.state).toBe('done');
}

const momentNamed = async (ebb: Ebb, vmId: VmId, name: string) => {
  const { moments } = await ebb.call('timeline.get', { vmId });
  const found = moments.find(row => row.name === name);
  if (found === undefined) throw new Error(`no point ${name}`);
  return found;
};

/** What a point reads as, by an export of it. */
async function contentOf(ebb: Ebb, vmId: VmId, name: string): Promise<Buffer> {
  const path = at(`content-${++names}.img`);
  const { id } = await momentNamed(ebb, vmId, name);
  const { taskId } = await ebb.call('moment.export', { vmId, momentId: id, format: 'raw', path });
  await ebb.done(taskId);
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

async function expectPoint(ebb: Ebb, vmId: VmId, name: string, content: Buffer): Promise<void> {
  const found = await contentOf(ebb, vmId, name);
  expect(sha(found.subarray(0, content.length)), name).toBe(sha(content));
  expect(found.subarray(content.length).every(byte => byte === 0)).toBe(true);
}

/** As 7-Zip reads an image with its parents beside it. */
function sevenZip(path: string): Buffer {
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', path], { maxBuffer: 64 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return ran.stdout;
}

interface FromParent extends Partial<ForeignVhd> {
  readonly parentUuid: string;
}
/** By the independent writer: every sector that differs from `old`. */
function deltaFile(name: string, old: Buffer, now: Buffer, { parentUuid, ...vhd }: FromParent): string {
  const hasSector = (sector: number): boolean =>
    Buffer.compare(
      old.subarray(sector * 512, sector * 512 + 512),
      now.subarray(sector * 512, sector * 512 + 512),
    ) !== 0;
  const blockBytes = vhd.blockBytes ?? 2 * MIB;
  const allocated = (block: number): boolean =>
    Buffer.compare(
      old.subarray(block * blockBytes, (block + 1) * blockBytes),
      now.subarray(block * blockBytes, (block + 1) * blockBytes),
    ) !== 0;
  const parent = { uuid: parentUuid, name: 'C:\\Some where\\base of it.vhd' };
  const bytes = writeForeignVhd({
    content: now,
    kind: 'differencing',
    uuid: '77777777-2222-4333-8444-555555555555',
    parent,
    hasSector,
    allocated,
    ...vhd,
  });
  writeFileSync(at(name), bytes);
  return at(name);
}

describe('one Ebb publishes, another applies', () => {
  let source: VmId;
  let copy: VmId;

  beforeAll(async () => {
    writeFileSync(at('base.img'), base);
    source = await vmFrom(here, at('base.img'), 'raw');
    const first = await momentNamed(here, source, 'Imported');
    const exported = await here.call('moment.export', {
      vmId: source,
      momentId: first.id,
      format: 'vhd',
      path: at(`${first.points[0]?.pointId}.vhd`),
    });
    await here.done(exported.taskId);
    copy = await vmFrom(there, exported.path, 'vhd');
  });

  it('T1: what was exported carries the UUID of its point, and what differs from it names that', async () => {
    const first = await momentNamed(here, source, 'Imported');
    const pointId = String(first.points[0]?.pointId);
    const whole = readFileSync(at(`${pointId}.vhd`));
    expect(whole.subarray(68, 84).toString('hex')).toBe(pointId.replaceAll('-', ''));
    expect(sha(sevenZip(at(`${pointId}.vhd`)).subarray(0, base.length))).toBe(sha(base));

    // Another program makes the next version of it.
    const size = sevenZip(at(`${pointId}.vhd`)).length;
    const old = Buffer.concat([base], size);
    await importDelta(
      here,
      source,
      deltaFile('v2.vhd', old, Buffer.concat([newer], size), { parentUuid: pointId }),
    );
    await expectPoint(here, source, 'v2', newer);
  });

  it('T4: the update is published, applied elsewhere, gone forward to, and every point stays what it was', async () => {
    const [first, second] = [
      await momentNamed(here, source, 'Imported'),
      await momentNamed(here, source, 'v2'),
    ];
    const { taskId, path } = await here.call('moment.export-delta', {
      vmId: source,
      fromId: first.id,
      toId: second.id,
      path: at('update.vhd'),
    });
    await here.done(taskId);
    expect(existsSync(`${path}.part`)).toBe(false);
    expect(readFileSync(path).length).toBeLessThan(12 * MIB);
    expect(sha(sevenZip(path).subarray(0, newer.length)), '7-Zip, over its parent').toBe(sha(newer));

    await importDelta(there, copy, path, { name: 'the update' });
    await expectPoint(there, copy, 'the update', newer);
    await expectPoint(there, copy, 'Imported', base);
    const update = await momentNamed(there, copy, 'the update');
    expect(update.parentId).toBe((await momentNamed(there, copy, 'Imported')).id);

    const back = await there.call('moment.go-back', { vmId: copy, momentId: update.id });
    await there.done(back.taskId);
    await there.settled(copy);
    expect((await momentNamed(there, copy, 'the update')).points[0]?.form).toBe('root');
    await expectPoint(there, copy, 'the update', newer);
    await expectPoint(there, copy, 'Imported', base);
  });

  it('and the update after it fits the one before it', async () => {
    const second = await momentNamed(here, source, 'v2');
    const size = sevenZip(at('update.vhd')).length;
    const third = Buffer.from(newer);
    third.fill(0x33, MIB, MIB + 512);
    const v3 = deltaFile('v3.vhd', Buffer.concat([newer], size), Buffer.concat([third], size), {
      parentUuid: String(second.points[0]?.pointId),
      uuid: '88888888-2222-4333-8444-555555555555',
      blockBytes: 512 * 1024,
      spareEntries: 100,
    });
    await importDelta(here, source, v3);
    await importDelta(there, copy, v3);
    for (const [ebb, vmId] of [
      [here, source],
      [there, copy],
    ] as const)
      await expectPoint(ebb, vmId, 'v3', third);
    await expect(importDelta(there, copy, v3)).rejects.toMatchObject({
      body: { code: 'vhd.parent-mismatch', what: expect.stringContaining('of this VM already') },
    });
  });

  it('a clone takes the updates of what it was made from', async () => {
    const first = await momentNamed(here, source, 'Imported');
    const made = await here.call('vm.clone', { vmId: source, momentId: first.id, name: 'its clone' });
    await here.done(made.taskId);
    await importDelta(here, made.vmId, at('update.vhd'));
    await expectPoint(here, made.vmId, 'update', newer);
  });

  it('one that belongs to nobody here is refused, unless the person says whose it is and the size fits', async () => {
    const size = sevenZip(at('update.vhd')).length;
    const [old, now] = [Buffer.concat([base], size), Buffer.concat([newer], size)];
    const parentUuid = '66666666-2222-4333-8444-555555555555';
    const uuid = '99999999-2222-4333-8444-555555555555';
    const stray = deltaFile('stray.vhd', old, now, { parentUuid, uuid });
    await there.settled(copy);
    const before = await there.call('timeline.get', { vmId: copy });
    const refusal = await importDelta(there, copy, stray).catch((cause: unknown) => cause);
    expect((refusal as Fault).body).toMatchObject({
      code: 'vhd.parent-mismatch',
      data: { field: 'parent UUID', found: parentUuid },
    });
    const first = await momentNamed(there, copy, 'Imported');
    const short = deltaFile('short.vhd', base.subarray(0, 8 * MIB), newer.subarray(0, 8 * MIB), {
      parentUuid,
      uuid,
    });
    await expect(importDelta(there, copy, short, { ontoId: first.id })).rejects.toMatchObject({
      body: { code: 'vhd.parent-mismatch', data: { field: 'current size', found: 8 * MIB } },
    });
    expect(await there.call('timeline.get', { vmId: copy })).toMatchObject({ moments: before.moments });
    await importDelta(there, copy, stray, { ontoId: first.id });
    await expectPoint(there, copy, 'stray', newer);
    // What it says of itself counts more than what the person says.
    const next = deltaFile('wrong.vhd', old, now, {
      parentUuid: uuid,
      uuid: 'aaaaaaaa-2222-4333-8444-555555555555',
    });
    await expect(importDelta(there, copy, next, { ontoId: first.id })).rejects.toMatchObject({
      body: { code: 'vhd.parent-mismatch', what: expect.stringContaining('it names "stray"') },
    });
  });

  it.each([
    ['whole disk', { kind: 'dynamic' }, () => undefined, 'import.bad-format', /expected a differencing VHD/],
    [
      'of two blocks in one place',
      {},
      bytes => bytes.copy(bytes, 1536 + 4, 1536, 1540),
      'vhd.corrupt',
      /overlap/,
    ],
    [
      'of a block past its end',
      {},
      bytes => bytes.writeUInt32BE(0x7ffffff0, 1536),
      'vhd.corrupt',
      /end of a block/,
    ],
    [
      'that names a file elsewhere',
      { parent: { uuid: '', name: '', locators: [{ code: 'W2ru', text: '..\\..\\etc\\shadow' }] } },
      () => undefined,
      'vhd.corrupt',
      /expected a file in the same folder/,
    ],
  ] as const satisfies readonly (readonly [
    string,
    Partial<ForeignVhd>,
    (bytes: Buffer) => unknown,
    string,
    RegExp,
  ])[])('an update made to harm, %s, is refused and leaves nothing', async (what, vhd, spoil, code, says) => {
    const first = await momentNamed(there, copy, 'Imported');
    const parentUuid = String(first.points[0]?.pointId);
    const size = sevenZip(at('update.vhd')).length;
    const content = Buffer.concat([newer], size);
    const { parent, ...more }: Partial<ForeignVhd> = vhd;
    const named = { name: 'x.vhd', ...parent, uuid: parentUuid };
    const bytes = writeForeignVhd({
      content,
      kind: 'differencing',
      uuid: 'cccccccc-2222-4333-8444-555555555555',
      ...more,
      ...(more.kind === 'dynamic' ? {} : { parent: named }),
    });
    spoil(bytes);
    writeFileSync(at(`${what}.vhd`), bytes);
    await there.settled(copy);
    const before = await there.call('timeline.get', { vmId: copy });
    const refusal = await importDelta(there, copy, at(`${what}.vhd`)).catch((cause: unknown) => cause);
    expect((refusal as Fault).body).toMatchObject({ code });
    expect((refusal as Fault).body.what).toMatch(says);
    expect((await there.call('timeline.get', { vmId: copy })).moments).toEqual(before.moments);
  });

  it('cancelled, it leaves nothing', async () => {
    const size = sevenZip(at('update.vhd')).length;
    const first = await momentNamed(there, copy, 'Imported');
    const all = randomBytes(size, 77);
    const path = deltaFile('cancelled.vhd', Buffer.alloc(size), all, {
      parentUuid: '66666666-2222-4333-8444-555555555555',
      uuid: 'bbbbbbbb-2222-4333-8444-555555555555',
    });
    await there.settled(copy);
    const before = await there.call('timeline.get', { vmId: copy });
    const { file } = await there.call('file.register', { path });
    const { taskId } = await there.call('moment.import-delta', { vmId: copy, file, ontoId: first.id });
    await there.call('task.cancel', { taskId });
    expect(await there.done(taskId)).toMatchObject({ state: 'cancelled' });
    const after = await there.call('timeline.get', { vmId: copy });
    expect(after.moments).toEqual(before.moments);
  });
});
