// Milestone A on real parts: a running guest on a root, three points in scattered runs, reversals while it writes, every
// point read by a stranger, going back, deleting, and the death of storage in the middle of both. Most of its time is
// hashing: EBB_TEST_ROOT_MIB=520 for the milestone's own root of 512 MiB and more.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { type Agent, type Ebb, waitFor } from '../support/ebb.ts';
import { startFromFixtures } from '../support/fixtures.ts';
import { UnitsHash } from '../support/units-hash.ts';

const MIB = 2 ** 20;
const ROOT_MIB = Number(process.env.EBB_TEST_ROOT_MIB ?? 264);
const POINT_BYTES = 50 * MIB;
/** The writer's place, past what the points scatter over. */
const WRITER_AT = 600 * MIB;
const DEV = '/dev/vda';

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let ebb: Ebb;
let agent: Agent;
let vmId: VmId;
let diskId: DiskId;
/** What the guest itself read at each point. */
const recorded = new Map<string, string>();

const hashRange = async (bytes: number): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset: 0, length: bytes, algorithm: 'units' })).units ?? '';
const timeline = (): Promise<Timeline> => ebb.call('timeline.get', { vmId });
const file = (pointId: PointId): string =>
  join(ebb.paths.dataFolder, 'vms', vmId, 'disks', diskId, `${pointId}.vhd`);
const pointOf = (moment: Moment): PointId => moment.points[0]?.pointId as PointId;

const sevenZip = (pointId: PointId): Promise<string> => ebb.hashPoint(vmId, diskId, pointId, ROOT_MIB * MIB);
/** T4: each is there, and is what the guest read, as 7-Zip reads its file. */
async function expectAllAsRecorded(): Promise<void> {
  const { moments } = await timeline();
  for (const [id, hash] of recorded) {
    const moment = moments.find(row => row.id === id);
    if (moment === undefined) throw new Error(`the point ${id} is gone`);
    expect(await sevenZip(pointOf(moment)), moment.name).toBe(hash);
  }
}

beforeAll(async () => {
  ebb = await startFromFixtures();
  ({ vmId, diskId } = await ebb.vmNamed('history'));
  agent = await ebb.startVm(vmId);
});
afterAll(async () => {
  await ebb?.dispose();
});

describe('the timeline of a running guest', () => {
  it('T2, T6: three points are taken and reversed in batches while the guest writes', async () => {
    await agent.call('write', { dev: DEV, offset: 0, length: ROOT_MIB * MIB, seed: 1 });
    await agent.call('writer-start', { dev: DEV, offset: WRITER_AT, slots: 256, pauseMs: 1 });
    for (const name of ['one', 'two', 'three']) {
      // The writer's place is past what is hashed: the content is the point's also before it is taken.
      const content = await hashRange(ROOT_MIB * MIB);
      const acks: number[] = [];
      let sampling = Promise.resolve();
      let seen = 0;
      const stop = ebb.subscribe('timeline', vmId, ({ settle }) => {
        const batches = settle.reversal?.batches ?? seen;
        if (batches === seen) return;
        seen = batches;
        sampling = sampling.then(async () => {
          acks.push(Number((await agent.call('writer-report')).acked));
        });
      });
      const before = Number((await agent.call('writer-report')).acked);
      const taken = await ebb.call('moment.take', { vmId, name, note: '' });
      recorded.set(taken.id, content);
      await ebb.settled(vmId);
      await sampling;
      stop();
      // The first point is the root at once: nothing to turn. The later two carry ≥ 48 MiB each.
      if (name !== 'one') {
        const { last } = (await timeline()).settle;
        expect(last?.toMomentId).toBe(taken.id);
        expect(last?.batches).toBeGreaterThanOrEqual(3);
        // It takes less than half a second: how often that is told is for the throttle to say.
        expect(acks.length).toBeGreaterThanOrEqual(1);
        expect(acks.at(-1)).toBeGreaterThan(before);
        console.log(
          `reversal to ${name}: ${last?.batches} batches, ${Math.round((last?.bytes ?? 0) / MIB)} MiB in ${Math.round(last?.durationMs ?? 0)} ms; the guest's acknowledged writes at each report: ${acks.join(', ')}`,
        );
      }
      const { bytes } = await agent.call('scatter', {
        dev: DEV,
        offset: 0,
        span: ROOT_MIB * MIB,
        bytes: POINT_BYTES,
        seed: name.length * 7919 + (taken.takenAt % 1000),
      });
      expect(Number(bytes)).toBeGreaterThanOrEqual(48 * MIB);
    }
    await agent.call('writer-stop');
    expect((await agent.call('writer-verify')).bad).toBe('0');
  });

  it('T4: every point is as recorded, read through 7-Zip; the root opens in qemu-img without a parent', async () => {
    const { moments, settle } = await timeline();
    expect(settle.state).toBe('rest');
    expect(moments.map(({ id }) => id)).toEqual([...recorded.keys()]);
    await expectAllAsRecorded();
    const roots = moments.filter(moment => moment.points[0]?.form === 'root');
    expect(roots.map(moment => moment.name)).toEqual(['three']);
    const root = file(pointOf(roots[0] as Moment));
    const info = JSON.parse(
      execFileSync('qemu-img', ['info', '-U', '--output=json', '-f', 'vpc', root]).toString(),
    );
    expect(info['backing-filename']).toBeUndefined();
    const folder = mkdtempSync(join(tmpdir(), 'ebb-root-'));
    execFileSync('qemu-img', ['convert', '-U', '-f', 'vpc', '-O', 'raw', root, join(folder, 'raw')]);
    const rawHash = new UnitsHash();
    for await (const piece of createReadStream(join(folder, 'raw'), { end: ROOT_MIB * MIB - 1 }))
      rawHash.update(piece as Buffer);
    expect(rawHash.digest()).toBe(recorded.get((roots[0] as Moment).id));
    rmSync(folder, { recursive: true });
  });

  it('T7: going back and returning hash right, and the present is kept', async () => {
    const before = await hashRange(ROOT_MIB * MIB);
    const { moments } = await timeline();
    const one = moments.find(moment => moment.name === 'one') as Moment;
    // While it runs: one task that ends it, goes back and starts it.
    await expect(ebb.call('moment.go-back', { vmId, momentId: one.id })).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    const goBack = { vmId, momentId: one.id, ifRunning: 'force' as const };
    await ebb.done((await ebb.call('moment.go-back', goBack)).taskId);
    agent = await ebb.agent(vmId);
    expect(await hashRange(ROOT_MIB * MIB)).toBe(recorded.get(one.id));
    await ebb.settled(vmId);
    expect(await hashRange(ROOT_MIB * MIB)).toBe(recorded.get(one.id));
    const kept = (await timeline()).moments.find(moment => moment.kind === 'kept') as Moment;
    await ebb.stopVm(vmId);
    await ebb.done((await ebb.call('moment.go-back', { vmId, momentId: kept.id })).taskId);
    agent = await ebb.startVm(vmId);
    expect(await hashRange(ROOT_MIB * MIB)).toBe(before);
    await ebb.settled(vmId);
    await expectAllAsRecorded();
  });

  it('T8: deleting the oldest is one unlink that frees its bytes; a middle one is merged away', async () => {
    const { moments } = await timeline();
    const one = moments.find(moment => moment.name === 'one') as Moment;
    const two = moments.find(moment => moment.name === 'two') as Moment;
    expect(two.freesBytes).toBeNull();
    expect(one.freesBytes).toBe(one.allocatedBytes);
    await ebb.call('moment.delete', { vmId, momentId: one.id });
    const { freedBytes } = await ebb.call('trash.purge', { vmId });
    expect(freedBytes).toBe(one.allocatedBytes);
    recorded.delete(one.id);
    expect(freedBytes).toBeGreaterThan(40 * MIB);
    expect(existsSync(file(pointOf(one)))).toBe(false);
    expect(await sevenZip(pointOf(two))).toBe(recorded.get(two.id));
    const middle = await ebb.call('moment.take', { vmId, name: 'middle', note: '' });
    await agent.call('scatter', { dev: DEV, offset: 0, span: ROOT_MIB * MIB, bytes: 16 * MIB, seed: 5 });
    const content = await hashRange(ROOT_MIB * MIB);
    const last = await ebb.call('moment.take', { vmId, name: 'last', note: '' });
    await ebb.settled(vmId);
    await ebb.call('moment.delete', { vmId, momentId: middle.id });
    await ebb.call('trash.purge', { vmId, momentId: middle.id });
    await ebb.settled(vmId);
    const left = (await timeline()).moments;
    expect(left.some(moment => moment.id === middle.id)).toBe(false);
    expect(existsSync(file(pointOf(middle)))).toBe(false);
    expect(await sevenZip(pointOf(left.find(moment => moment.id === last.id) as Moment))).toBe(content);
    expect(await sevenZip(pointOf(two))).toBe(recorded.get(two.id));
  });

  it('T11: SIGKILL of storage under a writing guest and in the middle of a reversal loses nothing', async () => {
    await agent.call('writer-start', { dev: DEV, offset: WRITER_AT, slots: 256, pauseMs: 1 });
    // Between a write and its flush: unflushed data in the page cache, bits only in the run file.
    await agent.call('write', { dev: DEV, offset: 0, length: 32 * MIB, seed: 99, sync: 0 });
    process.kill(await ebb.storagePid(), 'SIGKILL');
    const afterFirst = await hashRange(ROOT_MIB * MIB);
    await agent.call('scatter', {
      dev: DEV,
      offset: 0,
      span: ROOT_MIB * MIB,
      bytes: POINT_BYTES,
      seed: 4711,
    });
    const content = await hashRange(ROOT_MIB * MIB);
    expect(content).not.toBe(afterFirst);
    const inCopy = new Promise<void>(resolve => {
      const stop = ebb.subscribe('timeline', vmId, ({ settle }) => {
        if ((settle.reversal?.batches ?? 0) < 1) return;
        stop();
        resolve();
      });
    });
    const taken = await ebb.call('moment.take', { vmId, name: 'in the middle', note: '' });
    recorded.set(taken.id, content);
    await inCopy;
    process.kill(await ebb.storagePid(), 'SIGKILL');
    expect(await hashRange(ROOT_MIB * MIB)).toBe(content);
    await ebb.settled(vmId);
    const { acked } = await agent.call('writer-report');
    await waitFor(
      'the writer to go on',
      async () => Number((await agent.call('writer-report')).acked) > Number(acked) || null,
    );
    await agent.call('writer-stop');
    expect((await agent.call('writer-verify')).bad).toBe('0');
    await expectAllAsRecorded();
    expect((await ebb.state(vmId)).phase).toBe('running');
  });
});
