// What points cost, against the files themselves: histories by the dozen with branches, and one point of each deleted; a
// point's size is its file's to the byte, and deleting it frees what was said.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, MomentId, VmId } from '../../../../shared/ids.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const UNIT = 4096;
const BLOCK = 64 * 1024;
const BLOCKS = 16;
const HISTORIES = 40;

let folder: string;
let engine: VmEngine;

const disk = (): string => join(folder, 'disks', diskId);
const onDisk = (name: string): number => statSync(join(disk(), name)).blocks * 512;
const files = (): string[] => readdirSync(disk()).filter(name => name.endsWith('.vhd'));
const total = (): number => files().reduce((sum, name) => sum + onDisk(name), 0);

function scribble(random: Seeded): void {
  const volume = engine.volume(diskId);
  for (let count = 1 + random.below(8); count > 0; count--) {
    const length = UNIT * (1 + random.below(20));
    const offset = UNIT * random.below((volume.sizeBytes - length) / UNIT);
    volume.write(Buffer.alloc(length, 1 + random.below(255)), offset);
  }
}

/** A history of points, some on branches. */
async function history(random: Seeded): Promise<MomentId[]> {
  const ids: MomentId[] = [];
  for (let count = 2 + random.below(4); count > 0; count--) {
    scribble(random);
    ids.push((await engine.takeMoment({ name: `${count}`, note: '', kind: 'manual' })).id);
    if (random.below(3) === 0)
      await engine.goBack({ momentId: random.pick(ids), keepName: `kept before ${count}` });
    if (random.below(2) === 0) await engine.settle();
  }
  await engine.settle();
  return engine.timeline().moments.map(({ id }) => id);
}

/** Deletes it for good; answers what was freed at once and, settled, in the end. */
async function remove(id: MomentId): Promise<{ now: number; said: number; later: number }> {
  const before = total();
  engine.setSettling(false);
  await engine.deleteMoment(id);
  const { freedBytes } = await engine.purge(row => row.id === id);
  const now = before - total();
  engine.setSettling(true);
  await engine.settle();
  return { now, said: freedBytes, later: before - total() };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-cost-'));
  engine = await openVmFolder(
    vmId,
    folder,
    { turn: () => Promise.resolve() },
    // Holes of any length are made: zeros written over data would blur what is counted here.
    { autoSettle: false, blockBytes: BLOCK, batchBytes: 8 * BLOCK, cloneMinBytes: UNIT },
  );
  await engine.createDisk(diskId, BLOCKS * BLOCK);
});
afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('what points cost', () => {
  it.each(Array.from({ length: HISTORIES }, (_, index) => index))('history %i', async seed => {
    const random = new Seeded(7000 + seed);
    const ids = await history(random);
    for (const moment of engine.timeline().moments) {
      const bytes = moment.points.reduce((sum, { pointId }) => sum + onDisk(`${pointId}.vhd`), 0);
      const cost = await engine.inspect.cost(moment.id);
      expect([cost.allocatedBytes, moment.allocatedBytes]).toEqual([bytes, bytes]);
      // What the list says can be had at once is what the answer says.
      expect(moment.freesBytes ?? 0).toBe(cost.freesNowBytes);
    }
    const id = random.pick(ids);
    const { freesNowBytes, freesLaterBytes } = await engine.inspect.cost(id);
    const freed = await remove(id);
    expect(freed.now).toBe(freesNowBytes);
    expect(freed.said).toBe(freesNowBytes);
    // With the data goes what describes it: at most a page for each block, the headers and the BAT of a file.
    const around = BLOCKS * UNIT + 4 * UNIT;
    expect(freed.later).toBeGreaterThanOrEqual(freesNowBytes + freesLaterBytes);
    expect(freed.later).toBeLessThanOrEqual(freesNowBytes + freesLaterBytes + around);
  });
});
