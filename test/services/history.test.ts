// What people ask of a history, over the real processes and by the commands they type: settling told to pause, go back and
// go on, points compared and counted, damage named, space given back, and a timeline that is gone made anew. No guest runs.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { ebbCommand, HistoryVm } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';

const MIB = 2 ** 20;
const KIB = 1024;
const SIZE = 12 * MIB;
const SECOND = [
  { at: 2 * MIB, bytes: randomBytes(2 * MIB, 2) },
  { at: 9 * MIB + 4 * KIB, bytes: randomBytes(4 * KIB, 3) },
];
const THIRD = [{ at: 3 * MIB, bytes: randomBytes(2 * MIB, 4) }];

// Every command is a process of its own: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let ebb: Ebb;
let vm: HistoryVm;

const timeline = (): Promise<Timeline> => ebb.call('timeline.get', { vmId: vm.vmId });
const formOf = async (name: string): Promise<string | undefined> => (await vm.named(name)).points[0]?.form;
const onDisk = (moment: Moment): number => statSync(vm.pathOf(moment)).blocks * 512;
const allOnDisk = (): number => {
  const folder = join(ebb.paths.dataFolder, 'vms', vm.vmId, 'disks', vm.diskId);
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
};
async function commanded<T>(...args: readonly string[]): Promise<T> {
  const { code, out, error } = await ebbCommand(ebb, ...args, '--json');
  expect(code, error).toBe(0);
  return JSON.parse(out) as T;
}

/** The byte at `at` of the disk, where the file of that point holds it, is turned over; again, it is as it was. */
function flip(moment: Moment, at: number, held: Buffer): void {
  const path = vm.pathOf(moment);
  const place = readFileSync(path).indexOf(held.subarray(at, at + 64));
  expect(place).toBeGreaterThan(0);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([(held[at] ?? 0) ^ 0xff]), 0, 1, place);
  closeSync(file);
  held[at] = (held[at] ?? 0) ^ 0xff;
}

beforeAll(async () => {
  ebb = await Ebb.start();
  vm = await HistoryVm.create(ebb, 'history', randomBytes(SIZE, 1));
});
afterAll(() => ebb?.dispose());

describe('settling as people steer it', () => {
  it('T18: paused, points are taken and nothing is turned', async () => {
    expect(await commanded('settle', 'history', 'pause')).toMatchObject({ state: 'rest', isPaused: true });
    expect((await ebbCommand(ebb, 'point', 'list', 'history')).out).toMatch(
      /\nDisk: paused, nothing to do now$/m,
    );
    await vm.take('second', SECOND);
    await vm.take('third', THIRD);
    const { settle } = await timeline();
    expect(settle).toMatchObject({ state: 'paused', pendingEdges: 2, reversal: null });
    expect((await ebbCommand(ebb, 'point', 'list', 'history')).out).toMatch(/\nDisk: paused$/m);
    expect(await formOf('Imported')).toBe('root');
    expect(await vm.wrong()).toEqual([]);
  });

  it('T7: an edge that is halted half-way is turned back by a word, and stays so', async () => {
    const { vmId } = vm;
    // Said in one breath: the edge is begun, and gets no further than its next batch.
    await Promise.all([
      ebb.call('settle.set', { vmId, to: 'run' }),
      ebb.call('settle.set', { vmId, to: 'pause' }),
    ]);
    await waitFor('the edge to be halted', async () => {
      const { state, work } = (await timeline()).settle;
      return state === 'paused' && work?.kind === 'reversal';
    });
    const settle = await commanded<Timeline['settle']>('settle', 'history', 'undo');
    expect(settle.state).toBe('paused');
    await waitFor('it to be as it was', async () => (await timeline()).settle.work === null);
    expect((await timeline()).settle).toMatchObject({ state: 'paused', pendingEdges: 2 });
    expect(await formOf('Imported')).toBe('root');
    expect(await vm.wrong()).toEqual([]);
  });

  it('T9: told to go on, it comes to rest with the newest as the one whole image', async () => {
    await commanded('settle', 'history', 'run');
    await ebb.settled(vm.vmId);
    expect(await Promise.all(['Imported', 'second', 'third'].map(formOf))).toEqual([
      'delta',
      'delta',
      'root',
    ]);
    expect(await vm.wrong()).toEqual([]);
  });
});

describe('points compared and counted', () => {
  it('ebb point diff names the places that differ, and no other', async () => {
    const [disk] = await commanded<{ difference: { bytes: number; ranges: object[] } }[]>(
      ...['point', 'diff', 'history', 'Imported', 'second'],
    );
    const ranges = SECOND.map(({ at, bytes }) => ({ offset: at, length: bytes.length }));
    expect(disk?.difference).toEqual({ bytes: 2 * MIB + 4 * KIB, ranges, isTruncated: false });
    const { out } = await ebbCommand(ebb, 'point', 'diff', 'history', 'third');
    expect(out).toMatch(/Between "third" and "now" changed\ndisk \w{8}: nothing/);
  });

  it('what each takes is what its file takes, and what deleting the oldest frees comes back', async () => {
    const [oldest, ...others] = await vm.moments();
    for (const moment of others) {
      const cost = await ebb.call('moment.cost', { vmId: vm.vmId, momentId: moment.id });
      expect(cost).toMatchObject({ allocatedBytes: onDisk(moment), freesNowBytes: 0 });
    }
    const momentId = oldest?.id ?? '';
    const cost = await ebb.call('moment.cost', { vmId: vm.vmId, momentId });
    expect(cost.freesNowBytes).toBe(onDisk(oldest as Moment));
    expect(cost.freesNowBytes).toBeGreaterThan(2 * MIB);
    expect(oldest?.freesBytes).toBe(cost.freesNowBytes);
    await expect(ebb.call('moment.cost', { vmId: vm.vmId, momentId: vm.vmId })).rejects.toMatchObject({
      body: { code: 'moment.not-found' },
    });
  });
});

describe('T4: ebb vm verify', () => {
  it('is content with what is whole', async () => {
    const report = await commanded<VerifyReport>('vm', 'verify', 'history');
    expect(report).toMatchObject({ state: 'done', damages: [], unrecordedBytes: 0 });
    expect(report.checkedBytes).toBeGreaterThanOrEqual(SIZE);
  });

  it('names the point that a turned byte touches, and no other; mended, it is whole again', async () => {
    const held = randomBytes(SIZE, 1);
    const imported = await vm.named('Imported');
    flip(imported, 2 * MIB + 64 * KIB, held);
    const { code, out } = await ebbCommand(ebb, 'vm', 'verify', 'history');
    expect(code).toBe(8);
    expect(out).toContain('history is damaged');
    const [row, ...more] = out.split('\n').filter(line => line.includes('.vhd'));
    expect(more).toEqual([]);
    expect(row).toContain('Imported');
    expect(row).not.toMatch(/second|third|now/);
    const { report } = await ebb.call('vm.verify-report', { vmId: vm.vmId });
    expect(report?.damages).toMatchObject([
      {
        kind: 'data',
        offset: 2 * MIB + 64 * KIB,
        length: 4 * KIB,
        momentIds: [imported.id],
        touchesNow: false,
      },
    ]);
    expect(await vm.wrong()).toEqual([imported.id]);
    flip(imported, 2 * MIB + 64 * KIB, held);
    await ebb.done((await ebb.call('vm.verify', { vmId: vm.vmId })).taskId);
    const again = await ebb.call('vm.verify-report', { vmId: vm.vmId });
    expect(again.report).toMatchObject({ state: 'done', damages: [] });
  });
});

describe('T4: ebb vm compact', () => {
  /** In two points, each with gaps, so that nothing long enough to be punched is ever moved. */
  const zeros = (half: number): { at: number; bytes: Uint8Array }[] =>
    Array.from({ length: 2 * 32 }, (_, index) => ({
      at: 6 * MIB + (2 * index + half) * 32 * KIB,
      bytes: Buffer.alloc(32 * KIB),
    }));

  it('waits while tidying is paused; then gives back, to the byte, what it says', async () => {
    for (const half of [0, 1]) {
      await vm.take(`zeros ${half}`, zeros(half));
      await ebb.settled(vm.vmId);
    }
    await ebb.call('settle.set', { vmId: vm.vmId, to: 'pause' });
    const refused = await ebb.call('vm.compact', { vmId: vm.vmId });
    await expect(ebb.done(refused.taskId)).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
    await ebb.call('settle.set', { vmId: vm.vmId, to: 'run' });
    const steps: string[] = [];
    const stop = ebb.subscribe('tasks', null, ({ tasks }) => {
      steps.push(
        ...tasks
          .filter(({ kind, state }) => kind === 'vm.compact' && state === 'running')
          .map(({ step }) => step),
      );
    });
    const before = allOnDisk();
    const { freedBytes } = await commanded<{ freedBytes: number }>('vm', 'compact', 'history');
    stop();
    expect(freedBytes).toBeGreaterThanOrEqual(4 * MIB);
    expect(before - allOnDisk()).toBe(freedBytes);
    expect(steps.some(step => step.endsWith(' freed'))).toBe(true);
    expect((await ebb.call('task.list', {})).tasks[0]).toMatchObject({ kind: 'vm.compact', progress: 1 });
    expect(await vm.wrong()).toEqual([]);
  });
});

describe('T5: ebb vm rescue', () => {
  const told = ({ id, name, parentId, takenAt }: Moment) => ({ id, name, parentId, takenAt });

  it('is not needed while the timeline can be read; --replace makes it anew all the same', async () => {
    const before = await vm.moments();
    const refused = await ebbCommand(ebb, 'vm', 'rescue', 'history');
    expect(refused.error).toContain('--replace');
    expect(refused.code).toBe(4);
    const rescued = await commanded('vm', 'rescue', 'history', '--replace');
    expect(rescued).toEqual({ points: before.length, nameless: 0, notes: [] });
    expect((await vm.moments()).map(told)).toEqual(before.map(told));
    const home = join(ebb.paths.dataFolder, 'vms', vm.vmId);
    expect(readdirSync(home).filter(name => name.startsWith('timeline.db.damaged'))).toHaveLength(1);
    expect(await vm.wrong()).toEqual([]);
  });

  it('brings every point back where a stopped Ebb lost its timeline, with the names', async () => {
    const before = await vm.moments();
    await ebb.quit();
    for (const name of ['timeline.db', 'timeline.json'])
      rmSync(join(ebb.paths.dataFolder, 'vms', vm.vmId, name));
    ebb = await Ebb.start(ebb.paths.dataFolder);
    const old = vm;
    vm = vm.in(ebb);
    const listed = await ebbCommand(ebb, 'point', 'list', 'history');
    expect(listed.error).toContain('ebb vm rescue');
    expect(listed.code).toBe(8);
    const rescued = await ebbCommand(ebb, 'vm', 'rescue', 'history');
    const found = `${before.length} points found in its files; the names of ${before.length} were lost`;
    expect([rescued.code, rescued.out]).toEqual([0, expect.stringContaining(found)]);
    const after = await vm.moments();
    expect(after).toHaveLength(before.length);
    // The moments are new; the files are still named by the points (T1).
    const recorded = new Map(before.map(row => [row.points[0]?.pointId, old.recorded.get(row.id) ?? '']));
    vm.recorded.clear();
    for (const row of after) vm.recorded.set(row.id, recorded.get(row.points[0]?.pointId) ?? '');
    await ebb.settled(vm.vmId);
    expect(await vm.wrong()).toEqual([]);
  });
});
