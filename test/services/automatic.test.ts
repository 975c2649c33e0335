// Automatic history over the real processes and by the commands people type: a point for a time that passed while control was
// down, none where nothing was written, a quota that thins out by the trash, cleaning up that frees what it says. No guest runs.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CleanUp, Frees, HistoryPreview, HistoryState } from '../../shared/history.ts';
import type { Moment } from '../../shared/timeline.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { ebbCommand, HistoryVm, unitsOf } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';

const MIB = 2 ** 20;
const SIZE = 12 * MIB;
const HOUR = 3_600_000;
// Every command is a process of its own: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let ebb: Ebb;
let vm: HistoryVm;

async function commanded<T>(...args: readonly string[]): Promise<T> {
  const { code, out, error } = await ebbCommand(ebb, ...args, '--json');
  expect(code, error).toBe(0);
  return JSON.parse(out) as T;
}
const set = async (change: Partial<HistoryState['schedule']>): Promise<unknown> => {
  const { schedule } = await state();
  return ebb.call('history.set', { vmId: vm.vmId, schedule: { ...schedule, ...change } });
};
const previewed = (): Promise<HistoryPreview> => ebb.call('history.preview', { vmId: vm.vmId });
const state = (): Promise<HistoryState> => ebb.call('history.show', { vmId: vm.vmId });
const automatic = async (): Promise<Moment[]> =>
  (await vm.moments()).filter(({ kind }) => kind === 'automatic');
const names = async (): Promise<string[]> => (await vm.moments()).map(({ id, name }) => name || id);

function edit(path: string, table: 'history' | 'row', change: (body: Record<string, unknown>) => void): void {
  const db = new Database(path);
  for (const { rowid, body } of db
    .prepare<[], { rowid: number; body: string }>(`SELECT rowid, body FROM ${table}`)
    .all()) {
    const row = JSON.parse(body) as Record<string, unknown>;
    change(row);
    db.prepare(`UPDATE ${table} SET body = ? WHERE rowid = ?`).run(JSON.stringify(row), rowid);
  }
  db.close();
}

/** What Ebb deleted by itself, as the audit has it, the newest first. */
const deletedByItself = async (action: 'history.thinned' | 'trash.emptied') =>
  (await ebb.call('audit.list', { limit: 10, action })).entries;
const recordOf = (momentIds: readonly string[]) => ({
  ...{ via: 'service', outcome: 'done', vmId: vm.vmId, vmName: 'auto' },
  to: { points: momentIds.length, momentId: momentIds.join(', ') },
});

/**
 * This computer is off for an hour: all that was is an hour further back when Ebb is there again. `trashMs`: what is in the
 * trash was put there so much earlier.
 */
async function anHourLater(trashMs: number): Promise<void> {
  const { dataFolder } = ebb.paths;
  await ebb.quit();
  const earlier = (row: Record<string, unknown>, key: string, byMs = HOUR): void => {
    if (typeof row[key] === 'number') row[key] -= byMs;
  };
  edit(join(dataFolder, 'catalog.db'), 'history', row => earlier(row, 'settledAt'));
  edit(join(dataFolder, 'vms', vm.vmId, 'timeline.db'), 'row', row => {
    earlier(row, 'takenAt');
    earlier(row, 'trashedAt', trashMs);
  });
  ebb = await Ebb.start(dataFolder);
  vm = vm.in(ebb);
}

/** What is decided when it is back. */
async function decidedAgain(trashMs = HOUR) {
  const before = (await state()).last?.at ?? 0;
  await anHourLater(trashMs);
  return waitFor('the time that passed to be decided', async () => {
    const { last } = await state();
    return last !== null && last.at > before ? last : null;
  });
}

/** A point taken by itself of what was written. */
async function tookOf(at: number, seed: number): Promise<Moment> {
  await vm.write([{ at, bytes: randomBytes(MIB, seed) }]);
  const last = await decidedAgain();
  // Which of the two depends on how long ago the last quarter of an hour was.
  expect(last.outcome).toBe('took');
  expect(['time', 'missed']).toContain(last.reason);
  vm.recorded.set(last.momentId ?? '', unitsOf(vm.now));
  const found = (await vm.moments()).find(({ id }) => id === last.momentId);
  if (found === undefined) throw new Error('the point that was taken is not there');
  return found;
}

beforeAll(async () => {
  ebb = await Ebb.start();
  vm = await HistoryVm.create(ebb, 'auto', randomBytes(SIZE, 1));
});
afterAll(() => ebb?.dispose());

describe('automatic points', () => {
  it('are off until somebody turns them on, and then due at the next time', async () => {
    expect(await commanded('history', 'show', 'auto')).toMatchObject({
      schedule: { isOn: false },
      nextAt: null,
    });
    const made = await commanded<HistoryState>(
      ...[
        'history',
        'set',
        'auto',
        '--on',
        '--every',
        '15m',
        '--at',
        '00:00',
        '--min-changed',
        '0',
        '--battery',
        '0',
      ],
    );
    expect(made).toMatchObject({
      schedule: {
        isOn: true,
        everyMinutes: 15,
        leastChangedBytes: 0,
        batteryLeastPercent: 0,
        keep: { days: 7 },
      },
      last: null,
    });
    expect((made.nextAt ?? 1) % (15 * 60_000)).toBe(0);
    const preview = await commanded<HistoryPreview>('history', 'preview', 'auto');
    expect(preview).toMatchObject({ drop: [], quota: { quotaBytes: null, overBytes: 0 } });
    expect(preview.nextAt).toEqual([0, 1, 2].map(count => (made.nextAt ?? 0) + count * 15 * 60_000));
    expect(await automatic()).toEqual([]);
  });

  it('are taken once for times that passed while control was down, of what was written', async () => {
    const first = await tookOf(0, 2);
    expect(first).toMatchObject({ kind: 'automatic', name: '', pinned: false });
    await tookOf(MIB, 3);
    expect(await automatic()).toHaveLength(2);
    await ebb.settled(vm.vmId);
    expect(await vm.wrong()).toEqual([]);
    expect((await ebbCommand(ebb, 'point', 'list', 'auto')).out).toContain('Automatic');
  });

  it('are not taken where nothing, or too little, was written since the newest point', async () => {
    expect(await decidedAgain()).toMatchObject({ outcome: 'skipped', reason: 'unchanged', momentId: null });
    await set({ leastChangedBytes: MIB });
    await vm.write([{ at: 2 * MIB, bytes: randomBytes(MIB - 4096, 4) }]);
    expect(await decidedAgain()).toMatchObject({ outcome: 'skipped', reason: 'little' });
    await vm.take('by hand', [{ at: 5 * MIB, bytes: randomBytes(MIB, 5) }]);
    expect(await automatic()).toHaveLength(2);
  });
});

describe('what is kept', () => {
  it('is the newest of a day after the hours that keep all', async () => {
    await set({ keep: { allHours: 1, days: 1, weeks: 0, months: 0 } });
    const points = await automatic();
    const { drop } = await previewed();
    expect(drop).toEqual([expect.objectContaining({ momentId: points[0]?.id, why: 'thinned' })]);
    await set({ keep: { allHours: 1000, days: 7, weeks: 4, months: 3 } });
    expect((await previewed()).drop).toEqual([]);
  });

  it('a quota drops the oldest into the trash, as it was told before, and nothing that is pinned or a person’s', async () => {
    const [oldest] = await automatic();
    const [third, fourth] = [await tookOf(0, 5), await tookOf(3 * MIB, 6)];
    await vm.take('last', [{ at: 4 * MIB, bytes: randomBytes(MIB, 7) }]);
    await ebb.call('moment.update', { vmId: vm.vmId, momentId: third.id, pinned: true });
    await ebb.settled(vm.vmId);
    const before = await names();
    await set({ quotaBytes: 0 });
    const preview = await previewed();
    expect(preview.drop.map(({ why }) => why)).toEqual(preview.drop.map(() => 'quota'));
    const going = preview.drop.map(({ momentId }) => momentId);
    const between = (await automatic()).filter(({ id }) => id !== third.id);
    expect(going).toEqual(between.map(({ id }) => id));
    expect([going[0], going[2]]).toEqual([oldest?.id, fourth.id]);
    expect(preview.quota.overBytes).toBeGreaterThan(0);
    expect(preview.quota.heldBy.map(({ by }) => by).sort()).toEqual(['person', 'pinned']);
    expect(await decidedAgain()).toMatchObject({ reason: 'unchanged' });
    await waitFor('the quota to be kept', async () => (await state()).lastDrop);
    expect(await names()).toEqual(before.filter(name => !going.includes(name as never)));
    const { trash } = await ebb.call('timeline.get', { vmId: vm.vmId });
    expect(trash.map(({ id }) => id).sort()).toEqual([...going].sort());
    expect(await deletedByItself('history.thinned')).toMatchObject([recordOf(going)]);
  });

  it('T8: what is taken back from the trash is not dropped again; what is a week in it goes for good', async () => {
    const { trash } = await ebb.call('timeline.get', { vmId: vm.vmId });
    const back = trash.at(-1);
    if (back === undefined) throw new Error('the trash is empty');
    await ebb.call('moment.restore', { vmId: vm.vmId, momentId: back.id });
    expect((await previewed()).drop).toEqual([]);
    const old = trash.filter(({ id }) => id !== back.id).map(({ id }) => id);
    expect(await deletedByItself('trash.emptied')).toEqual([]);
    await decidedAgain(8 * 24 * HOUR);
    expect(await names()).toContain(back.id);
    expect((await ebb.call('timeline.get', { vmId: vm.vmId })).trash).toEqual([]);
    expect(await deletedByItself('trash.emptied')).toMatchObject([recordOf(old)]);
    for (const id of old) vm.recorded.delete(id);
    // Points that went together leave the line whole.
    expect((await vm.named('by hand')).parentId).toBe(
      (await vm.moments()).find(({ kind }) => kind === 'imported')?.id,
    );
    await ebb.settled(vm.vmId);
    expect(await vm.wrong()).toEqual([]);
  });
});

describe('cleaning up', () => {
  it('frees at once, when the trash is emptied, to the byte what it said; the rest is whole', async () => {
    await set({ isOn: false, quotaBytes: null });
    for (const seed of [11, 12, 13])
      await vm.take(`mine ${seed}`, [{ at: seed * 8192, bytes: randomBytes(MIB, seed) }]);
    await ebb.settled(vm.vmId);
    const offer = await ebb.call('history.offer', { vmId: vm.vmId, alsoPersons: true });
    expect(offer.kept).toContainEqual(expect.objectContaining({ because: 'pinned' }));
    expect(offer.kept).toContainEqual(expect.objectContaining({ because: 'now' }));
    const oldest = offer.candidates.slice(0, 3);
    const told = oldest.at(-1)?.frees;
    expect(told?.freesNowBytes).toBeGreaterThan(2 * MIB);
    const dry = await commanded<Frees & { momentIds: string[] }>(
      ...['history', 'clean', 'auto', '--oldest', '3', '--also-mine', '--dry-run'],
    );
    expect(dry).toEqual({ momentIds: oldest.map(({ momentId }) => momentId), ...told });
    const cleaned = await commanded<Frees>('history', 'clean', 'auto', '--oldest', '3', '--also-mine');
    expect(cleaned).toEqual(dry);
    const { freedBytes } = await ebb.call('trash.purge', { vmId: vm.vmId });
    expect(freedBytes).toBe(told?.freesNowBytes);
    for (const { momentId } of oldest) vm.recorded.delete(momentId);
    await ebb.settled(vm.vmId);
    expect(await vm.wrong()).toEqual([]);
  });

  it('is all or nothing: one that may not go refuses all', async () => {
    const { vmId } = vm;
    const { candidates, kept }: CleanUp = await ebb.call('history.offer', { vmId, alsoPersons: true });
    const pinned = kept.find(({ because }) => because === 'pinned');
    const momentIds = [candidates[0]?.momentId, pinned?.momentId].flatMap(id => id ?? []);
    const before = await names();
    await expect(ebb.call('history.clean', { vmId, momentIds })).rejects.toMatchObject({
      body: { code: 'moment.pinned' },
    });
    const now = kept.flatMap(({ because, momentId }) => (because === 'now' ? [momentId] : []));
    await expect(ebb.call('history.clean', { vmId, momentIds: now })).rejects.toMatchObject({
      body: { code: 'disk.in-use' },
    });
    expect(await names()).toEqual(before);
  });

  it('leaves out what somebody reads', async () => {
    const { vmId } = vm;
    const { candidates } = await ebb.call('history.offer', { vmId, alsoPersons: true });
    const [first] = candidates;
    if (first === undefined) throw new Error('nothing is offered');
    await ebb.call('moment.serve', { vmId, momentId: first.momentId });
    const after = await ebb.call('history.offer', { vmId, alsoPersons: true });
    expect(after.kept).toContainEqual({ momentId: first.momentId, because: 'in-use' });
    await expect(ebb.call('history.clean', { vmId, momentIds: [first.momentId] })).rejects.toMatchObject({
      body: { code: 'disk.in-use' },
    });
  });
});
