// Background work as people see it: each kind told in bytes, a pause that holds through a restart, and, while an edge is
// being turned, everything T18 allows.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, MomentId, VmId } from '../../../../shared/ids.ts';
import type { Moment, SettleWork } from '../../../../shared/timeline.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const BLOCK = 2 * MIB;
const BATCH = 64 * 1024;

let folder: string;
let engine: VmEngine;
let model: Buffer;
let random: Seeded;
/** Of every point that must be there, what it holds. */
let points: Map<MomentId, string>;

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const open = (autoSettle = false): Promise<VmEngine> =>
  openVmFolder(vmId, folder, { turn }, { autoSettle, batchBytes: BATCH });
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function scribble(): void {
  const volume = engine.volume(diskId);
  for (let at = 0; at + BLOCK <= volume.sizeBytes; at += BLOCK) {
    const bytes = Buffer.alloc(BATCH, 1 + random.below(254));
    const offset = at + 4096 * random.below(400);
    volume.write(bytes, offset);
    bytes.copy(model, offset);
  }
}

async function take(name: string): Promise<Moment> {
  const moment = await engine.takeMoment({ name, note: '', kind: 'manual' });
  points.set(moment.id, sha(model));
  return moment;
}

const now = (): string => {
  const volume = engine.volume(diskId);
  const bytes = Buffer.alloc(volume.sizeBytes);
  volume.read(bytes, 0);
  return sha(bytes);
};

async function expectAll(): Promise<void> {
  expect(now(), 'Now').toBe(sha(model));
  const { moments } = engine.timeline();
  for (const [id, expected] of points) {
    const moment = moments.find(row => row.id === id);
    const [point] = moment?.points ?? [];
    if (point === undefined) throw new Error(`point ${id} is gone`);
    expect(await engine.hashPoint(point.pointId), moment?.name).toBe(expected);
  }
}

/** Runs until so many batches of a reversal are done, then pauses. */
async function pauseHalfWay(batches = 2): Promise<void> {
  const stop = engine.onChange(() => {
    const { state, reversal } = engine.timeline().settle;
    if (state === 'settling' && (reversal?.batches ?? 0) >= batches) engine.setSettling(false);
  });
  engine.setSettling(true);
  await engine.settle();
  stop();
  expect(engine.timeline().settle).toMatchObject({ state: 'paused', work: { kind: 'reversal' } });
  expect(engine.timeline().settle.reversal?.blocksDone).toBeGreaterThanOrEqual(batches);
}

/** Every piece of work that is told of until all is at rest, as it was told. */
async function watchToRest(): Promise<SettleWork[]> {
  const told: SettleWork[] = [];
  const stop = engine.onChange(() => {
    const { work } = engine.timeline().settle;
    if (work !== null) told.push(work);
  });
  engine.setSettling(true);
  await engine.settle();
  stop();
  expect(engine.timeline().settle).toMatchObject({ state: 'rest', work: null, pendingEdges: 0 });
  return told;
}

const bytesOf = (told: readonly SettleWork[], kind: SettleWork['kind']): number[] =>
  told.filter(work => work.kind === kind).map(work => work.bytesDone);

beforeEach(async () => {
  random = new Seeded(18);
  points = new Map();
  folder = mkdtempSync(join(tmpdir(), 'ebb-work-'));
  engine = await open();
  await engine.createDisk(diskId, 10 * MIB);
  model = Buffer.alloc(engine.volume(diskId).sizeBytes);
  engine.setSettling(false);
});
afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('background work is told in bytes', () => {
  it('a reversal, a merge and the recording of checksums', async () => {
    scribble();
    await take('first');
    scribble();
    const second = await take('second');
    scribble();
    await take('third');
    await engine.deleteMoment(second.id);
    await engine.purge(({ id }) => id === second.id);
    points.delete(second.id);
    const told = await watchToRest();
    for (const kind of ['reversal', 'merge', 'checksum'] as const) {
      const bytes = bytesOf(told, kind);
      expect(new Set(bytes).size, kind).toBeGreaterThan(2);
      expect(Math.max(...bytes), kind).toBeGreaterThan(2 * BATCH);
    }
    expect(told.every(({ bytesDone, bytesTotal }) => bytesDone <= bytesTotal)).toBe(true);
    await expectAll();
  });
});

describe('a pause', () => {
  it('holds through a restart, and goes on from where it was', async () => {
    scribble();
    await take('first');
    scribble();
    await take('second');
    await pauseHalfWay();
    const before = engine.timeline().settle.reversal;
    await engine.close();
    engine = await open(true);
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', pendingEdges: 1 });
    await expectAll();
    const told = await watchToRest();
    expect(bytesOf(told, 'reversal')[0]).toBeGreaterThanOrEqual(before?.bytesDone ?? Number.NaN);
    await expectAll();
  });

  it('stops a merge, too, which goes on when told', async () => {
    scribble();
    const first = await take('first');
    scribble();
    await take('second');
    await engine.deleteMoment(first.id);
    await engine.purge(({ id }) => id === first.id);
    points.delete(first.id);
    const stop = engine.onChange(() => {
      const { work, state } = engine.timeline().settle;
      if (state === 'settling' && work?.kind === 'merge' && work.bytesDone > 0) engine.setSettling(false);
    });
    engine.setSettling(true);
    await engine.settle();
    stop();
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', work: { kind: 'merge' } });
    await expectAll();
    await watchToRest();
    await expectAll();
  });
});

type Doing = (first: Moment, second: Moment) => Promise<void>;

/** What is allowed while an edge is being turned, each with what it changes. */
const ALLOWED: Readonly<Record<string, Doing>> = {
  'take a point': async () => {
    scribble();
    await take('third');
  },
  'write, flush and read': async () => {
    scribble();
    await engine.volume(diskId).flush();
  },
  'go back to the root’s point, keeping a branch': async first => {
    scribble();
    const before = new Set(engine.timeline().moments.map(({ id }) => id));
    await engine.goBack({ momentId: first.id, keepName: 'kept' });
    for (const { id } of engine.timeline().moments) if (!before.has(id)) points.set(id, sha(model));
    const volume = engine.volume(diskId);
    volume.read(model, 0);
    expect(sha(model)).toBe(points.get(first.id));
  },
  'go back to the point that becomes the root': async (_first, second) => {
    scribble();
    await engine.goBack({ momentId: second.id, keepName: 'kept' });
    const kept = engine.timeline().moments.find(({ name }) => name === 'kept');
    if (kept !== undefined) points.set(kept.id, sha(model));
    engine.volume(diskId).read(model, 0);
    expect(sha(model)).toBe(points.get(second.id));
  },
  'peek at both points': async (first, second) => {
    for (const { id, points: of } of [first, second]) {
      const reader = engine.pointReader(of[0]?.pointId ?? (diskId as never));
      const bytes = Buffer.alloc(reader.sizeBytes);
      reader.read(bytes, 0);
      expect(sha(bytes)).toBe(points.get(id));
    }
  },
  'delete an uninvolved childless point for good': async first => {
    await engine.goBack({ momentId: first.id, keepName: 'side' });
    engine.volume(diskId).read(model, 0);
    scribble();
    const side = await take('childless');
    await engine.goBack({ momentId: first.id, keepName: 'other side' });
    engine.volume(diskId).read(model, 0);
    await engine.deleteMoment(side.id);
    const { freedBytes } = await engine.purge(({ id }) => id === side.id);
    points.delete(side.id);
    expect(freedBytes).toBeGreaterThan(0);
  },
  'rename, note and pin a point being turned': async first => {
    await engine.updateMoment({ momentId: first.id, name: 'renamed', note: 'a note', pinned: true });
    const row = engine.timeline().moments.find(({ id }) => id === first.id);
    expect(row).toMatchObject({ name: 'renamed', note: 'a note', pinned: true });
  },
  'trash a point being turned, and bring it back': async (_first, second) => {
    await engine.deleteMoment(second.id);
    await engine.restoreMoment(second.id);
  },
  'delete a point being turned for good: it goes when the edge is turned': async first => {
    await engine.deleteMoment(first.id);
    await engine.purge(({ id }) => id === first.id);
    points.delete(first.id);
    expect(engine.timeline().settle.work?.kind).toBe('reversal');
  },
  'compare them, and ask what they cost': async (first, second) => {
    const [difference] = await engine.inspect.compare(first.id, second.id);
    expect(difference?.difference.bytes).toBeGreaterThan(0);
    expect((await engine.inspect.cost(first.id)).allocatedBytes).toBeGreaterThan(0);
  },
  'turn back': async () => {
    await engine.undoSettling();
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'paused', reversal: null });
  },
};

describe('T18: while an edge is being turned', () => {
  describe.each(['paused half-way', 'running'] as const)('%s', how => {
    it.each(Object.keys(ALLOWED))('one may %s', async name => {
      scribble();
      const first = await take('first');
      scribble();
      const second = await take('second');
      await pauseHalfWay();
      let settled: Promise<void> | null = null;
      if (how === 'running') {
        engine.setSettling(true);
        settled = engine.settle();
      }
      await ALLOWED[name]?.(first, second);
      await expectAll();
      await settled;
      await watchToRest();
      await expectAll();
      await engine.close();
      engine = await open();
      await expectAll();
    });
  });
});
