// Two people's days with Ebb, step by step as product.md C1 and C2 have them: a first VM and a second beside it; going back
// to before an update and keeping today. Real guests, the real service, and what people type. Idle, either is under 40 s.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';
import { ebbCommand } from '../support/history-vm.ts';
import { end } from '../support/storage-process.ts';

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const SPAN = 24 * MIB;
const DEV = '/dev/vda';
let ebb: Ebb;
let agent: Agent;
let vmId: VmId;
let diskId: DiskId;

async function say(...words: string[]): Promise<string> {
  const ran = await ebbCommand(ebb, ...words);
  expect(ran, `ebb ${words.join(' ')}: ${ran.error}`).toMatchObject({ code: 0 });
  return ran.out;
}
const told = async <T>(...words: string[]): Promise<T> => JSON.parse(await say(...words, '--json')) as T;
const timeline = (): Promise<Timeline> => ebb.call('timeline.get', { vmId });
async function named(name: string): Promise<Moment> {
  const found = (await timeline()).moments.find(moment => moment.name === name);
  if (found === undefined) throw new Error(`no point ${name}`);
  return found;
}
const inside = async (): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' })).units ?? '';
const pointOf = ({ points }: Moment): PointId => points[0]?.pointId as PointId;

beforeAll(async () => {
  ebb = await Ebb.start();
});
afterAll(() => ebb?.dispose());

describe('C1: a first VM, and a second beside it', () => {
  it('1: this computer is looked at: every row says what was found, and what is not well how it is mended', async () => {
    const { checks } = await ebb.call('doctor.run', {});
    expect(checks.map(({ id }) => id)).toEqual(expect.arrayContaining(['qemu', 'memory', 'disk']));
    for (const { id, state, found, fix } of checks) {
      expect(found, id).not.toBe('');
      if (state === 'fail') expect(fix, id).not.toBe('');
    }
  });

  it('2: a disk is imported by its name and kind, with a range that is suggested', async () => {
    const path = join(ebb.paths.dataFolder, 'legacy.vhd');
    writeFileSync(`${path}.raw`, Buffer.alloc(8 * MIB, 'legacy'));
    const size = ['-f', 'raw', '-O', 'vpc', '-o', 'force_size=on'];
    execFileSync('qemu-img', ['convert', ...size, `${path}.raw`, path]);
    await say('vm', 'create', 'legacy', '--disk', path, '--format', 'vhd');
    const { spec } = await ebb.call('vm.get', await ebb.vmNamed('legacy').then(({ vmId }) => ({ vmId })));
    // T12: as large as its geometry says.
    expect(spec.disks[0]?.virtualBytes).toBeGreaterThanOrEqual(8 * MIB);
    expect(spec.minKib * 4).toBeGreaterThanOrEqual(spec.maxKib);
  });

  it('3: one is started; nobody shrinks for it, and its guest answers', async () => {
    await say(
      'vm',
      'create',
      'work',
      '--sample',
      '--mem-min',
      '112M',
      '--mem-max',
      '192M',
      '--disk-size',
      '256M',
    );
    ({ vmId, diskId } = await ebb.vmNamed('work'));
    const preview = await ebb.call('vm.preview-start', { vmId });
    expect(preview).toMatchObject({ feasible: true, changes: [] });
    await say('vm', 'start', 'work');
    agent = await ebb.agent(vmId);
    await agent.call('write', { dev: DEV, offset: 0, length: SPAN, seed: 1 });
  });

  it('4, 6: its twin starts beside it, both are within their ranges, and each move has its sentence', async () => {
    await say('point', 'take', 'work', 'for its twin');
    await say('vm', 'clone', 'work', 'for its twin', 'twin');
    const { vmId: twin } = await ebb.vmNamed('twin');
    expect((await ebb.call('vm.preview-start', { vmId: twin })).feasible).toBe(true);
    await say('vm', 'start', 'twin');
    await ebb.agent(twin);
    expect((await agent.call('ping')).uptime).toBeDefined();
    for (const id of [vmId, twin]) {
      const { minKib, maxKib, targetKib } = await ebb.call('memory.show', { vmId: id });
      expect(targetKib).toBeGreaterThanOrEqual(minKib);
      expect(targetKib).toBeLessThanOrEqual(maxKib);
    }
    await say('vm', 'stop', 'twin');
    expect((await ebb.state(twin)).phase).toBe('off');
    await say('mem', 'set', 'work', '--max', '160M');
    await waitFor('its memory to follow', async () => {
      const { actualKib } = await ebb.call('memory.show', { vmId });
      return actualKib !== null && actualKib <= 160 * 1024;
    });
    const { entries } = await ebb.call('memory.ledger', { vmId, limit: 100 });
    const moves = entries.filter(entry => entry.moves.some(move => move.vmId === vmId));
    expect(moves.length).toBeGreaterThan(0);
    for (const { text, cause } of moves) expect([text, cause]).not.toContain('');
  });

  it('7: whoever looked is gone, and the service with it: the guest runs on and is found', async () => {
    const before = Number((await agent.call('ping')).uptime);
    await ebb.killControl();
    expect((await ebb.state(vmId)).phase).toBe('running');
    expect(Number((await agent.call('ping')).uptime)).toBeGreaterThanOrEqual(before);
  });
});

describe('C2: back to before the update, and today is kept', () => {
  /** What the guest itself read at each point. */
  const recorded = new Map<string, string>();
  const intact = async (): Promise<void> => {
    for (const moment of (await timeline()).moments) {
      const units = recorded.get(moment.name);
      if (units !== undefined)
        expect(await ebb.hashPoint(vmId, diskId, pointOf(moment), SPAN), moment.name).toBe(units);
    }
  };

  it('1, 10: a history with sizes, a pin and one whole file; the command line tells the same', async () => {
    for (const [index, name] of ['monday', 'before update', 'wednesday'].entries()) {
      await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes: 4 * MIB, seed: 10 + index });
      recorded.set(name, await inside());
      await say('point', 'take', 'work', name);
    }
    await say('point', 'pin', 'work', 'before update');
    await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes: 4 * MIB, seed: 20 });
    recorded.set('today', await inside());
    await ebb.settled(vmId);
    const { moments, disks } = await timeline();
    expect(disks[0]?.depth).toBeLessThanOrEqual(2);
    const listed = await told<Timeline>('point', 'list', 'work');
    const shown = (all: readonly Moment[]) =>
      all.map(({ id, parentId, pinned, allocatedBytes }) => ({ id, parentId, pinned, allocatedBytes }));
    expect(shown(listed.moments)).toEqual(shown(moments));
    expect((await named('before update')).pinned).toBe(true);
    expect(moments.every(({ allocatedBytes }) => allocatedBytes > 0)).toBe(true);
  });

  it('3, 4: what changed is told; a look at it is beside the present, whose files stay as they are', async () => {
    const { disks } = await ebb.call('moment.compare', {
      vmId,
      fromId: (await named('before update')).id,
      toId: null,
    });
    expect(disks[0]?.difference.bytes).toBeGreaterThan(0);
    const base = await ebb.hashPoint(vmId, diskId, pointOf(await named('wednesday')), SPAN);
    await say('point', 'peek', 'work', 'before update');
    const peek = await waitFor('the look', async () =>
      (await ebb.call('vm.list', {})).vms.find(({ spec }) => spec.peek !== null),
    );
    const there = await ebb.agent(peek.spec.id);
    const units = await there.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' });
    expect(units.units).toBe(recorded.get('before update'));
    await ebb.stopVm(peek.spec.id);
    expect(await ebb.hashPoint(vmId, diskId, pointOf(await named('wednesday')), SPAN)).toBe(base);
    expect(await inside()).toBe(recorded.get('today'));
  });

  it('5, 6: it goes back, starts as it was then, and today is a branch', async () => {
    await say('point', 'go-back', 'work', 'before update', '--shutdown', '--keep', 'today');
    agent = await ebb.agent(vmId);
    expect(await inside()).toBe(recorded.get('before update'));
    const { moments, nowParentId } = await timeline();
    expect(nowParentId).toBe((await named('before update')).id);
    expect(moments.map(({ name }) => name)).toContain('today');
  });

  it('7: everything is killed while it is tidied; afterwards every point is what it was', async () => {
    await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes: 8 * MIB, seed: 30 });
    recorded.set('after', await inside());
    await say('point', 'take', 'work', 'after');
    await waitFor('an edge to be turned', async () => {
      const { settle } = await timeline();
      return settle.reversal !== null || settle.state === 'rest';
    });
    const [qemu, storage] = [(await ebb.state(vmId)).pid ?? 0, await ebb.storagePid()];
    await ebb.killControl(() => [qemu, storage].forEach(end));
    await waitFor('the VM to be over', async () => (await ebb.state(vmId)).pid === null);
    await ebb.settled(vmId);
    await intact();
    await say('vm', 'start', 'work');
    agent = await ebb.agent(vmId);
    expect(await inside()).toBe(recorded.get('after'));
  });

  it('8: the oldest goes at once, the VM runs on, and no other point changes', async () => {
    const oldest = await named('for its twin');
    expect((await ebb.call('moment.cost', { vmId, momentId: oldest.id })).freesNowBytes).toBeGreaterThan(0);
    const pinned = await ebbCommand(ebb, 'point', 'delete', 'work', 'before update');
    expect(pinned.code).not.toBe(0);
    await say('point', 'delete', 'work', oldest.id, '--purge');
    expect((await ebb.state(vmId)).phase).toBe('running');
    expect((await timeline()).moments.map(({ id }) => id)).not.toContain(oldest.id);
    await ebb.settled(vmId);
    await intact();
  });

  it('9: at rest Now is one VHD that other programs open, with no parent', async () => {
    await ebb.stopVm(vmId, 'shutdown');
    await ebb.settled(vmId);
    const folder = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', diskId);
    const whole = readdirSync(folder).filter(name => {
      if (!name.endsWith('.vhd')) return false;
      const footer = readFileSync(join(folder, name)).subarray(0, 512);
      // Dynamic, not differencing.
      return footer.readUInt32BE(60) === 3;
    });
    expect(whole).toHaveLength(1);
    const info = JSON.parse(
      execFileSync('qemu-img', ['info', '--output=json', '-f', 'vpc', join(folder, whole[0] ?? '')], {
        encoding: 'utf8',
      }),
    );
    const { spec } = await ebb.call('vm.get', { vmId });
    expect(info).toMatchObject({ 'virtual-size': spec.disks[0]?.virtualBytes });
    expect(info).not.toHaveProperty('backing-filename');
  });
});
