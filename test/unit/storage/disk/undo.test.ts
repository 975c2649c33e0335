// T7: a reversal taken back half-way, on real files, read by a stranger.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
const BLOCK = 2 * MIB;
/** What is scribbled over: a little in each, and as much is one batch. */
const BATCHES = 12;

let folder: string;
let engine: VmEngine;
let model: Buffer;
const random = new Seeded(11);

const open = (): Promise<VmEngine> =>
  openVmFolder(
    vmId,
    folder,
    { turn: () => new Promise(resolve => setImmediate(resolve)) },
    { autoSettle: false, batchBytes: 64 * 1024 },
  );
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const files = (): string[] =>
  readdirSync(join(folder, 'disks', diskId)).filter(name => name.includes('.vhd'));

function scribble(): void {
  const volume = engine.volume(diskId);
  for (let at = 0; at + BLOCK <= volume.sizeBytes; at += BLOCK) {
    const bytes = Buffer.alloc(64 * 1024, 1 + random.below(254));
    const offset = at + 4096 * random.below(400);
    volume.write(bytes, offset);
    bytes.copy(model, offset);
  }
}

async function take(name: string): Promise<{ id: MomentId; point: PointId; sha: string }> {
  const { id, points } = await engine.takeMoment({ name, note: '', kind: 'manual' });
  return { id, point: points[0]?.pointId as PointId, sha: sha(model) };
}

function sevenZip(point: PointId): string {
  const path = join(folder, 'disks', diskId, `${point}.vhd`);
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', path], { maxBuffer: 256 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return sha(ran.stdout);
}

/** Runs until so many batches are done, then has it turned back; answers how far it was. */
async function settleAndTurnBack(batches: number): Promise<number> {
  let turnedAt: number | null = null;
  let undoing: Promise<void> | null = null;
  const stop = engine.onChange(() => {
    const { reversal } = engine.timeline().settle;
    if (turnedAt !== null || reversal === null || reversal.batches < batches) return;
    turnedAt = reversal.blocksDone;
    undoing = engine.undoSettling();
  });
  engine.setSettling(true);
  await engine.settle();
  await undoing;
  await engine.settle();
  stop();
  return turnedAt ?? 0;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-undo-'));
  engine = await open();
  await engine.createDisk(diskId, BATCHES * BLOCK);
  model = Buffer.alloc(engine.volume(diskId).sizeBytes);
  engine.setSettling(false);
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('T7: turning back', () => {
  it('leaves the edge as it was before the reversal, every point as it was taken, and nothing behind', async () => {
    scribble();
    const first = await take('first');
    scribble();
    const second = await take('second');
    const before = files();
    expect(await settleAndTurnBack(4)).toBeGreaterThanOrEqual(4);
    const { settle } = engine.timeline();
    expect(settle).toMatchObject({ state: 'paused', reversal: null, pendingEdges: 1 });
    expect(files().sort()).toEqual(before.sort());
    for (const { point, sha: expected } of [first, second]) {
      expect(await engine.hashPoint(point)).toBe(expected);
      expect(sevenZip(point)).toBe(expected);
    }
  });

  it('can be done after any batch, again and again, and in the end the edge is turned', async () => {
    scribble();
    const first = await take('first');
    scribble();
    const second = await take('second');
    const turnedBack: number[] = [];
    for (let batches = 1; batches <= BATCHES; batches++) {
      turnedBack.push(await settleAndTurnBack(batches));
      expect(engine.timeline().settle).toMatchObject({ state: 'paused', reversal: null, pendingEdges: 1 });
      for (const { point, sha: expected } of [first, second])
        expect(await engine.hashPoint(point), `after ${batches}`).toBe(expected);
    }
    expect(turnedBack).toEqual(Array.from({ length: BATCHES }, (_, index) => index + 1));
    engine.setSettling(true);
    await engine.settle();
    // There was no batch more.
    expect(engine.timeline().settle.last?.batches).toBe(BATCHES);
    expect(engine.timeline().settle).toMatchObject({ state: 'rest', pendingEdges: 0 });
    for (const { point, sha: expected } of [first, second]) {
      expect(await engine.hashPoint(point)).toBe(expected);
      expect(sevenZip(point)).toBe(expected);
    }
  });

  it('reads the same of a larger newer image at every instant, and what it had behind the end of the older is its own again', async () => {
    await take('first');
    await engine.growDisk(diskId, 40 * MIB);
    const volume = engine.volume(diskId);
    model = Buffer.concat([model], volume.sizeBytes);
    for (let at = 26 * MIB; at < 40 * MIB; at += BLOCK) {
      volume.write(Buffer.alloc(64 * 1024, 7), at);
      model.fill(7, at, at + 64 * 1024);
    }
    const second = await take('second');
    const reader = engine.pointReader(second.point);
    const found = Buffer.alloc(model.length);
    let [isDone, reads] = [false, 0];
    const watching = (async () => {
      for (; !isDone; reads++) {
        reader.read(found, 0);
        expect(found.equals(model), `read ${reads}`).toBe(true);
        await new Promise(resolve => setImmediate(resolve));
      }
    })();
    const turned = await settleAndTurnBack(4);
    isDone = true;
    await watching;
    expect(turned).toBeGreaterThanOrEqual(4);
    expect(reads).toBeGreaterThan(10);
    expect(await engine.hashPoint(second.point)).toBe(second.sha);
  });

  it('survives being closed half-way', async () => {
    scribble();
    const first = await take('first');
    scribble();
    const second = await take('second');
    let [isTold, closing] = [false, null as Promise<void> | null];
    engine.onChange(() => {
      const { reversal } = engine.timeline().settle;
      if (!isTold && reversal !== null && reversal.batches >= 5) {
        isTold = true;
        void engine.undoSettling();
      }
      if (reversal?.phase === 'undo' && reversal.batches >= 2) closing ??= engine.close();
    });
    engine.setSettling(true);
    await engine.settle();
    await engine.settle();
    expect(closing).not.toBeNull();
    await closing;
    expect(files().some(name => name.endsWith('.new'))).toBe(true);
    engine = await open();
    await engine.settle();
    // It stays turned back: whoever wants it turned says so.
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', reversal: null, pendingEdges: 1 });
    engine.setSettling(true);
    await engine.settle();
    expect(engine.timeline().settle.state).toBe('rest');
    for (const { point, sha: expected } of [first, second]) expect(sevenZip(point)).toBe(expected);
  });

  it('does nothing where nothing is being turned', async () => {
    scribble();
    const first = await take('first');
    await engine.undoSettling();
    expect(await engine.hashPoint(first.point)).toBe(first.sha);
  });
});
