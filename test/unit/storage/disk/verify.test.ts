// Checking a history of real files: what is damaged is found, named, and pinned to the points that read it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import type { Damage, Verified, VerifyCursor } from '../../../../shared/verify.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const UNIT = 4096;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
let engine: VmEngine;

const open = (): Promise<VmEngine> => openVmFolder(vmId, folder, { turn }, { autoSettle: false });
const path = (moment: Moment): string => join(folder, 'disks', diskId, `${moment.points[0]?.pointId}.vhd`);
const write = (unit: number, units: number, value: number): void =>
  engine.volume(diskId).write(Buffer.alloc(units * UNIT, value), unit * UNIT);
const take = (name: string): Promise<Moment> => engine.takeMoment({ name, note: '', kind: 'manual' });

/** A point after such a write, with all at rest. */
async function settled(name: string, ...what: Parameters<typeof write>): Promise<Moment> {
  write(...what);
  const moment = await take(name);
  await engine.settle();
  return moment;
}

async function verify(budgetBytes = 2 ** 40): Promise<Omit<Verified, 'cursor'> & { calls: number }> {
  const all = { checkedBytes: 0, unrecordedBytes: 0, totalBytes: 0, damages: [] as Damage[], calls: 0 };
  let cursor: VerifyCursor | null = null;
  do {
    const found: Verified = await engine.verifier.some(cursor, budgetBytes);
    cursor = found.cursor;
    all.checkedBytes += found.checkedBytes;
    all.unrecordedBytes += found.unrecordedBytes;
    all.totalBytes = found.totalBytes;
    all.damages.push(...found.damages);
    all.calls++;
  } while (cursor !== null);
  return all;
}

/** Flips one bit of a unit of block 0, in the file alone. */
async function damage(moment: Moment, unit: number): Promise<void> {
  await engine.close();
  const bytes = readFileSync(path(moment));
  const at = bytes.readUInt32BE(1536) * 512 + 512 + unit * UNIT + 77;
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(path(moment), bytes);
  engine = await open();
}

/** One bit of a byte of its bitmap of block 0, in the file alone. */
async function flip(moment: Moment, byte: number): Promise<void> {
  await engine.close();
  const bytes = readFileSync(path(moment));
  const at = bytes.readUInt32BE(1536) * 512 + byte;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path(moment), bytes);
  engine = await open();
}

/** Its file cannot be opened any more. */
async function breakHeader(moment: Moment): Promise<void> {
  await engine.close();
  const bytes = readFileSync(path(moment));
  bytes[600] = (bytes[600] ?? 0) ^ 1;
  writeFileSync(path(moment), bytes);
  engine = await open();
}

/** So many bytes in front of the data of a block, and its bitmap the last of them, read as zeros, in the file alone. */
async function zero(moment: Moment, block: number, length: number): Promise<void> {
  await engine.close();
  const bytes = readFileSync(path(moment));
  const dataAt = bytes.readUInt32BE(1536 + block * 4) * 512 + 512;
  expect(bytes.subarray(dataAt - 512, dataAt).includes(0xff)).toBe(true);
  bytes.fill(0, dataAt - length, dataAt);
  writeFileSync(path(moment), bytes);
  engine = await open();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-verify-'));
  engine = await open();
  await engine.createDisk(diskId, 24 * MIB);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('verify', () => {
  it('T4: finds nothing in a whole history, turned, merged and branched, and has read all of it', async () => {
    write(0, 20, 1);
    const first = await take('first');
    await settled('second', 5, 3, 2);
    write(600, 4, 3);
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    await settled('third', 0, 2, 4);
    const { damages, unrecordedBytes, checkedBytes } = await verify();
    expect(damages).toEqual([]);
    expect(unrecordedBytes).toBe(0);
    expect(checkedBytes).toBeGreaterThan(20 * UNIT);
  });

  it('says of what was just taken that nothing is recorded yet, instead of calling it right', async () => {
    engine.setSettling(false);
    await settled('first', 0, 10, 1);
    expect(await verify()).toMatchObject({ damages: [], unrecordedBytes: 512 * UNIT });
  });

  it('T4: pins a flipped bit to the points that read it, through reversal after reversal', async () => {
    write(0, 20, 1);
    const first = await take('first');
    const second = await settled('second', 5, 3, 2);
    // In the backward delta: `first` alone reads it.
    await damage(first, 6);
    expect((await verify()).damages).toMatchObject([
      { kind: 'data', offset: 6 * UNIT, length: UNIT, momentIds: [first.id], touchesNow: false },
    ]);
    // In the root, where `first` has nothing of its own: both, and Now.
    await damage(second, 12);
    const twice = (await verify()).damages.find(({ offset }) => offset === 12 * UNIT);
    expect(new Set(twice?.momentIds)).toEqual(new Set([first.id, second.id]));
    expect(twice?.touchesNow).toBe(true);
    // Turning the next edge moves the damage on, and it stays what it is: damage of those two points.
    const third = await settled('third', 12, 1, 9);
    const moved = (await verify()).damages.find(({ offset }) => offset === 12 * UNIT);
    expect(moved?.file).toBe(`${second.points[0]?.pointId}.vhd`);
    expect(new Set(moved?.momentIds)).toEqual(new Set([first.id, second.id]));
    expect(moved?.touchesNow).toBe(false);
    expect(third.points).toHaveLength(1);
  });

  it('finds a map that lies about what it holds', async () => {
    write(0, 20, 1);
    const first = await take('first');
    await settled('second', 5, 3, 2);
    await engine.close();
    const bytes = readFileSync(path(first));
    const bitmap = bytes.readUInt32BE(1536) * 512;
    expect(bytes[bitmap + 6]).toBe(0xff);
    bytes[bitmap + 6] = 0;
    writeFileSync(path(first), bytes);
    engine = await open();
    expect((await verify()).damages).toMatchObject([
      { kind: 'map', momentIds: [first.id], touchesNow: false },
    ]);
  });

  it.each([
    ['map', 'turned'],
    ['map', 'merged'],
    ['page', 'turned'],
    ['page', 'merged'],
  ] as const)('carries the loss of a %s along when its image is %s', async (what, how) => {
    const first = await settled('first', 0, 20, 1);
    const second = await settled('second', 5, 3, 2);
    await settled('third', 9, 1, 3);
    // At rest with all sums: `second` becomes a forward delta again by going back to `first`, or `first` is merged into it.
    if (how === 'turned') {
      await engine.goBack({ momentId: first.id, keepName: 'kept' });
      await engine.settle();
    }
    await zero(second, 0, what === 'map' ? 512 : 4096);
    if (how === 'turned') {
      await engine.goBack({ momentId: second.id, keepName: 'kept' });
    } else {
      await engine.deleteMoment(second.id);
      await engine.purge(() => true);
    }
    await engine.settle();
    const { damages } = await verify();
    expect(damages).toMatchObject([{ kind: 'map' }]);
  });

  it('T1: a lost map behind the end of a smaller image is not merged into it', async () => {
    const grown = 4096 * MIB;
    const first = await settled('first', 0, 40, 1);
    write(0, 40, 5);
    await engine.growDisk(diskId, grown);
    const second = await settled('second', 1664 * 512, 3, 7);
    await settled('third', 1664 * 512 + 1, 1, 8);
    const before = await engine.hashPoint(first.points[0]?.pointId as PointId);
    await zero(second, 1664, 512);
    await engine.deleteMoment(second.id);
    await engine.purge(() => true);
    await engine.settle();
    expect(await engine.hashPoint(first.points[0]?.pointId as PointId)).toBe(before);
    expect((await verify()).damages.filter(({ kind }) => kind === 'data')).toEqual([]);
  });

  it('T8: what a child has all of itself is not hurt by a map lost above it', async () => {
    const first = await settled('first', 0, 512, 1);
    const second = await settled('second', 0, 512, 2);
    await settled('third', 7, 1, 3);
    await zero(second, 0, 4096);
    const before = await engine.hashPoint(first.points[0]?.pointId as PointId);
    await engine.deleteMoment(second.id);
    await engine.purge(() => true);
    await engine.settle();
    expect((await verify()).damages).toEqual([]);
    expect(await engine.hashPoint(first.points[0]?.pointId as PointId)).toBe(before);
  });

  it('compacting does not drop a block that reads as zeros for want of its map', async () => {
    const first = await settled('first', 0, 20, 1);
    const second = await settled('second', 512, 8, 2);
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    await engine.settle();
    await zero(second, 1, 512);
    await engine.goBack({ momentId: second.id, keepName: 'kept' });
    await engine.settle();
    engine.compact('run');
    await engine.settle();
    expect((await verify()).damages).toMatchObject([{ kind: 'map', offset: 2 * MIB }]);
  });

  it("T12: a bit flipped in a root's bitmap before its sums were recorded hurts nothing for ever", async () => {
    engine.setSettling(false);
    write(0, 40, 1);
    const first = await take('first');
    await flip(first, 5);
    engine.setSettling(true);
    await engine.settle();
    expect((await verify()).damages).toMatchObject([{ kind: 'map' }]);
    await settled('second', 8, 1, 3);
    expect((await verify()).damages).toEqual([]);
  });

  it("T12: a flipped bit in a root's bitmap is told, hurts nobody, and is gone when the block is written", async () => {
    await settled('first', 0, 20, 1);
    const second = await settled('second', 5, 3, 2);
    await flip(second, 9);
    expect((await verify()).damages).toMatchObject([{ kind: 'map' }]);
    await settled('third', 1, 1, 4);
    expect((await verify()).damages).toEqual([]);
  });

  it('names a file that cannot be opened, and every point that needs it', async () => {
    write(0, 20, 1);
    const first = await take('first');
    await settled('second', 5, 3, 2);
    await breakHeader(first);
    const { damages } = await verify();
    expect(damages).toMatchObject([{ kind: 'file', momentIds: [first.id], touchesNow: false }]);
    expect(damages[0]?.what).toContain('header checksum');
  });

  it('goes on from its cursor, reading every file once', async () => {
    write(0, 512 * 3, 1);
    await take('first');
    await settled('second', 5, 3, 2);
    const whole = await verify();
    const pieces = await verify(MIB);
    expect(pieces.calls).toBeGreaterThan(3);
    expect(pieces.checkedBytes).toBe(whole.checkedBytes);
  });

  it('T3: is not fooled by an edge on its way', async () => {
    write(0, 512 * 4, 1);
    const first = await take('first');
    write(0, 512 * 4, 2);
    await take('second');
    let calls = 0;
    let found: Damage[] = [];
    const settling = engine.settle();
    while ((engine.timeline().settle.reversal?.blocksDone ?? 0) === 0 && calls++ < 10_000) await turn();
    expect(engine.timeline().settle.state).toBe('settling');
    found = (await verify()).damages;
    await settling;
    expect(found).toEqual([]);
    expect((await verify()).damages).toEqual([]);
    expect(await engine.hashPoint(first.points[0]?.pointId as PointId)).toBeDefined();
  });

  it('T8: is not fooled by a merge on its way', async () => {
    write(0, 512 * 2, 1);
    await engine.rest();
    await engine.settle();
    write(0, 512 * 2, 2);
    await take('second');
    const settling = engine.settle();
    const found: Damage[] = [];
    for (let calls = 0; calls < 10_000 && engine.timeline().settle.state === 'settling'; calls++)
      found.push(...(await verify()).damages);
    await settling;
    expect(found).toEqual([]);
    expect((await verify()).damages).toEqual([]);
  });

  it('T8: damage in one file of a half-done merge is not said to be in the other', async () => {
    await engine.close();
    engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false, batchBytes: UNIT });
    const child = await settled('child', 0, 512 * 4, 1);
    for (const block of [0, 1, 2, 3]) write(512 * block, 1, 2);
    const going = await settled('going', 7, 1, 2);
    await settled('root', 0, 512 * 4, 3);
    await engine.deleteMoment(going.id);
    await engine.purge(() => true);
    const settling = engine.settle();
    const done = (): number => {
      const { work } = engine.timeline().settle;
      return work?.kind === 'merge' ? work.bytesDone : 0;
    };
    for (let calls = 0; calls < 10_000 && done() === 0; calls++) await turn();
    engine.setSettling(false);
    await settling;
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', work: { kind: 'merge' } });
    await breakHeader(child);
    const { damages } = await verify();
    expect(damages).toMatchObject([
      { kind: 'file', file: basename(path(child)), momentIds: [child.id], touchesNow: false },
    ]);
  });

  it('T3: pins damage in a half-turned edge to the older point alone: the newer reads past it', async () => {
    const first = await settled('first', 0, 512 * 4, 1);
    write(0, 512 * 4, 2);
    await take('second');
    const settling = engine.settle();
    while ((engine.timeline().settle.reversal?.blocksDone ?? 0) === 0) await turn();
    engine.setSettling(false);
    await settling;
    expect(engine.timeline().settle.pendingEdges).toBe(1);
    await engine.close();
    const backward = `${path(first)}.new`;
    const bytes = readFileSync(backward);
    const at = bytes.readUInt32BE(1536) * 512 + 512 + 77;
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    writeFileSync(backward, bytes);
    engine = await open();
    expect((await verify()).damages).toMatchObject([
      { kind: 'data', offset: 0, length: UNIT, momentIds: [first.id], touchesNow: false },
    ]);
  });

  it.each([2, 8, 16])('T12: finds a block that is said to lie %i sectors from where it does', async bits => {
    write(0, 20, 1);
    const first = await take('first');
    await settled('second', 5, 3, 2);
    await engine.close();
    const bytes = readFileSync(path(first));
    bytes.writeUInt32BE(bytes.readUInt32BE(1536) ^ bits, 1536);
    writeFileSync(path(first), Buffer.concat([bytes, Buffer.alloc(65_536)]));
    engine = await open();
    const kind = bits === 2 ? 'file' : 'map';
    expect((await verify()).damages).toMatchObject([{ kind, momentIds: [first.id], touchesNow: false }]);
  });
});
