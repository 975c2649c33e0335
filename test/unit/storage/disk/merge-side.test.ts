// T8: when a point in the middle is deleted, at most the smaller of the two deltas moves. Both ways give the same bytes, so
// only what is moved tells which was taken.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';
import { randomBytes } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** first, second, third, settled; `second` is deleted for good. Answers the bytes that were moved for it. */
async function moved(engine: VmEngine, secondMib: number, thirdMib: number): Promise<number> {
  await engine.createDisk(diskId, 40 * MIB);
  const volume = engine.volume(diskId);
  const take = (name: string): Promise<Moment> => engine.takeMoment({ name, note: '', kind: 'manual' });
  volume.write(randomBytes(32 * MIB, 1), 0);
  await take('first');
  // What `second` overwrote is in `first` when all is settled, what `third` did in `second`.
  volume.write(randomBytes(secondMib * MIB, 2), 0);
  const second = await take('second');
  volume.write(randomBytes(thirdMib * MIB, 3), 16 * MIB);
  await take('third');
  await engine.settle();
  const hashes = async (): Promise<string[]> =>
    Promise.all(
      engine.timeline().moments.map(({ points }) => engine.hashPoint(points[0]?.pointId as PointId)),
    );
  const before = await hashes();
  let bytes = 0;
  engine.onChange(() => {
    const { work } = engine.timeline().settle;
    if (work?.kind === 'merge') bytes = Math.max(bytes, work.bytesTotal);
  });
  await engine.deleteMoment(second.id);
  await engine.purge(() => true);
  await engine.settle();
  expect(await hashes()).toEqual([before[0], before[2]]);
  return bytes;
}

describe('T8: of two deltas that become one, the smaller moves', () => {
  it.each([
    [2, 12],
    [12, 2],
  ])('%i MiB in one, %i MiB in the other', async (secondMib, thirdMib) => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-side-'));
    const engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
    try {
      expect(await moved(engine, secondMib, thirdMib)).toBe(2 * MIB);
    } finally {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
