// A thread with so little stack that nothing which calls itself once per point of a large tree ends: it opens a VM's folder,
// asks everything there is to ask of its oldest point, goes back to it, and rescues the folder. Tells what it found.
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openFolder } from '../../electron/platform/folder.ts';
import { hashVolume } from '../../electron/storage/disk/hash.ts';
import { openVmFolder } from '../../electron/storage/disk/open-folder.ts';
import { rescueFolder } from '../../electron/storage/disk/rescue-folder.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../shared/ids.ts';

export interface ShallowAsked {
  readonly folder: string;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  readonly points: number;
  readonly newest: { readonly momentId: MomentId; readonly pointId: PointId };
  readonly oldest: { readonly momentId: MomentId; readonly pointId: PointId };
}
export interface ShallowFound {
  /** The shortest recursion once per point that there is. */
  readonly recursion: string;
  readonly sha256: string;
  readonly nowSha256: string;
  readonly moments: number;
  readonly rescued: number;
}

const { folder, vmId, diskId, points, newest, oldest } = workerData as ShallowAsked;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const down = (left: number): number => (left === 0 ? 0 : 1 + down(left - 1));
function recursion(): string {
  try {
    return `ended at ${down(points)}`;
  } catch (cause) {
    return cause instanceof RangeError ? 'no room' : String(cause);
  }
}

async function ask(): Promise<Omit<ShallowFound, 'recursion' | 'rescued'>> {
  const engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
  try {
    // What is purged below is merged away when nobody says otherwise.
    engine.setSettling(false);
    engine.timeline();
    await engine.inspect.cost(oldest.momentId);
    await engine.inspect.compare(oldest.momentId, null);
    await engine.verifier.some(null, 2 ** 20);
    const sha256 = await engine.hashPoint(oldest.pointId);
    const place = { folder: openFolder(join(folder, 'out')), name: 'shallow.vhd' };
    const order = { fromId: newest.pointId, toId: oldest.pointId, cursor: null, budgetBytes: 2 ** 40 };
    await engine.deltas.some(place, order, 0);
    await engine.goBack({ momentId: oldest.momentId, keepName: 'kept' });
    const nowSha256 = await hashVolume(engine.volume(diskId), turn);
    // In the trash, and out of it for good: all of a long line is looked through.
    await engine.deleteMoment(newest.momentId);
    engine.timeline();
    await engine.purge(() => true);
    return { sha256, nowSha256, moments: engine.timeline().moments.length };
  } finally {
    await engine.close();
  }
}

const found = { recursion: recursion(), ...(await ask()) };
const rescued = await rescueFolder(folder, true);
parentPort?.postMessage({ ...found, rescued: rescued.points } satisfies ShallowFound);
