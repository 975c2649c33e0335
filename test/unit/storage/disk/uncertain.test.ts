// T14: a transaction of which nobody can tell whether it happened. Nothing it may name is taken away, nothing more is begun,
// and the next opener finds every point as it was, whether it happened or not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../../electron/platform/clock.ts';
import { openFolder } from '../../../../electron/platform/folder.ts';
import { systemRandom } from '../../../../electron/platform/random.ts';
import { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { uncertain } from '../../../../electron/storage/disk/engine-faults.ts';
import { MemoryStore } from '../../../../electron/storage/disk/memory-store.ts';
import type { Change, TimelineStore } from '../../../../electron/storage/disk/state.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import type { Moment } from '../../../../shared/timeline.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Over `inner`: at the transaction that is `struck` it happens or not, and nobody knows; none is made after it. */
function doubtful(
  inner: MemoryStore,
  struck: (changes: readonly Change[]) => boolean,
  happens: boolean,
): TimelineStore {
  let isLost = false;
  return {
    rows: kind => inner.rows(kind),
    commit: changes => {
      if (isLost) throw uncertain('timeline.db');
      isLost = struck(changes);
      if (!isLost || happens) inner.commit(changes);
      if (isLost) throw uncertain('timeline.db');
    },
    close: () => undefined,
  };
}

const OPS = ['copy', 'flip', 'undo', 'merge', 'take', 'seal', 'compact'] as const;
const KINDS = [...OPS.map(kind => `op ${kind}`), 'end of an op', 'going back', 'purge'] as const;
const isOf =
  (kind: (typeof KINDS)[number]) =>
  (changes: readonly Change[]): boolean => {
    const puts = changes.flatMap(change => ('put' in change ? [change] : []));
    const drops = changes.flatMap(change => ('drop' in change ? [change.drop] : []));
    if (kind === 'end of an op') return drops.includes('op');
    if (kind === 'going back')
      return puts.some(({ put }) => put === 'disk') && puts.some(({ put }) => put === 'now');
    if (kind === 'purge') return drops.includes('moment');
    return puts.some(change => change.put === 'op' && `op ${change.row.kind}` === kind);
  };

it.each(KINDS.flatMap(kind => [true, false].map(happens => [kind, happens] as const)))(
  '%s, happened: %s',
  async (kind, happens) => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-uncertain-'));
    const inner = new MemoryStore();
    let isArmed = false;
    const isStruck = isOf(kind);
    const open = (store: TimelineStore): Promise<VmEngine> =>
      VmEngine.open(
        vmId,
        {
          diskFolder: () => openFolder(folder),
          store,
          clock: systemClock,
          random: systemRandom,
          bootId: 'b',
          turn,
        },
        { autoSettle: false, batchBytes: MIB },
      );
    const points = new Map<PointId, string>();
    let engine = await open(doubtful(inner, changes => isArmed && isStruck(changes), happens));
    await engine.createDisk(diskId, 16 * MIB);
    engine.setSettling(false);
    const take = async (name: string, at: number): Promise<Moment> => {
      engine.volume(diskId).write(Buffer.alloc(2 * MIB, name), at);
      const moment = await engine.takeMoment({ name, note: '', kind: 'manual' });
      const id = moment.points[0]?.pointId as PointId;
      points.set(id, await engine.hashPoint(id));
      return moment;
    };
    const first = await take('first', 0);
    await take('second', MIB);
    const third = await take('third', 5 * MIB);
    const kept = [...points.keys()];
    const isDone = async (work: () => unknown): Promise<void> => {
      try {
        await work();
      } catch (cause) {
        expect(cause).toMatchObject({ body: { code: 'disk.poisoned' } });
      }
    };
    isArmed = true;
    await isDone(() => engine.setSettling(true));
    await isDone(() => engine.settle());
    await isDone(() => engine.undoSettling());
    await isDone(() => engine.setSettling(true));
    await isDone(() => engine.settle());
    await isDone(() => take('fourth', 8 * MIB));
    await isDone(() => engine.deleteMoment(third.id));
    await isDone(() => engine.purge(() => true));
    await isDone(() => engine.settle());
    await isDone(() => engine.compact());
    await isDone(() => engine.goBack({ momentId: first.id, keepName: 'kept' }));
    await isDone(() => engine.settle());
    await isDone(() => engine.close());
    engine = await open(inner);
    const there = new Set(engine.timeline().moments.flatMap(row => row.points.map(({ pointId }) => pointId)));
    for (const id of kept.slice(0, 2)) expect(there.has(id), 'nobody deleted it').toBe(true);
    const all = async (): Promise<void> => {
      for (const [id, hash] of points) if (there.has(id)) expect(await engine.hashPoint(id)).toBe(hash);
    };
    await all();
    engine.setSettling(true);
    await engine.settle();
    expect(engine.timeline().settle).toMatchObject({ state: 'rest', reason: null });
    await all();
    await engine.close();
    rmSync(folder, { recursive: true });
  },
);
