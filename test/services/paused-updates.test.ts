// Updates and chains over the real processes, as tasks.test.ts has it of other long work: paused they wait, cancelled they
// leave nothing, and where control dies in the middle the next one does them. No guest runs.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Ebb } from '../support/ebb.ts';
import { HistoryVm, unitsOf } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';
import { steering } from '../support/steered-tasks.ts';
import { writeForeignVhd } from '../support/vhd-writer.ts';

// This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
/** What takes one piece is over before anybody can look. */
const large = Buffer.alloc(128 * MIB, randomBytes(MIB, 12));
const CHAIN_BYTES = 64 * MIB;
const CHAIN_UUID = '77777777-2222-4333-8444-555555555550';
const CHAIN_CHILD_UUID = '77777777-2222-4333-8444-555555555551';

let ebb: Ebb;
let storagePid: number;
let vm: HistoryVm;
/** Written by one test, brought in by the next. */
let update: string;
const { taskOf, cancel, resume, stopped, gone, inTheMiddle, pausedInTheMiddle, goOn } = steering(
  () => ebb,
  () => storagePid,
);
const at = (name: string): string => join(ebb.paths.dataFolder, name);

beforeAll(async () => {
  ebb = await Ebb.start();
  storagePid = await ebb.storagePid();
  vm = await HistoryVm.create(ebb, 'large', large);
  await vm.take('second', [{ at: 16 * MIB, bytes: randomBytes(96 * MIB, 13) }]);
  await ebb.settled(vm.vmId);
});
afterEach(goOn);
afterAll(() => ebb?.dispose());

describe('updates and chains', () => {
  it('an update that is written, and one that comes in, are whole though control died over each', async () => {
    const { vmId } = vm;
    const [from, to] = [(await vm.named('Imported')).id, (await vm.named('second')).id];
    let [tries, writing] = [0, ''];
    const taskId = await inTheMiddle(() => {
      writing = at(`update-${tries++}.vhd`);
      return ebb.call('moment.export-delta', { vmId, fromId: from, toId: to, path: writing });
    });
    await ebb.killControl(goOn);
    await ebb.done(taskId);
    expect(existsSync(`${writing}.part`)).toBe(false);

    const copy = await ebb.call('vm.clone', { vmId, momentId: from, name: 'large copy' });
    await ebb.done(copy.taskId);
    const { file } = await ebb.call('file.register', { path: writing });
    const bring = () => ebb.call('moment.import-delta', { vmId: copy.vmId, file, name: 'update' });
    const coming = await inTheMiddle(bring);
    await ebb.killControl(goOn);
    await ebb.done(coming);
    const { moments } = await ebb.call('timeline.get', { vmId: copy.vmId });
    const brought = moments.filter(({ name }) => name === 'update');
    expect(brought).toHaveLength(1);
    const { pointId, diskId } = brought[0]?.points[0] ?? {};
    if (pointId === undefined || diskId === undefined) throw new Error('not reached');
    expect(await ebb.hashPoint(copy.vmId, diskId, pointId, large.length)).toBe(unitsOf(vm.now));
  });

  it('an update that is written waits, ends without a trace when it is cancelled, and goes on to a whole file', async () => {
    const [from, to] = [(await vm.named('Imported')).id, (await vm.named('second')).id];
    const paths: string[] = [];
    const write = () => {
      paths.push(at(`waiting-${paths.length}.vhd`));
      const path = paths.at(-1) ?? '';
      return ebb.call('moment.export-delta', { vmId: vm.vmId, fromId: from, toId: to, path });
    };
    const left = (): boolean[] => [existsSync(paths.at(-1) ?? ''), existsSync(`${paths.at(-1)}.part`)];
    const given = await pausedInTheMiddle(write);
    await cancel(given);
    expect(await ebb.done(given)).toMatchObject({ state: 'cancelled', isPaused: false });
    expect(left()).toEqual([false, false]);
    const taskId = await pausedInTheMiddle(write);
    // It asks storage for nothing meanwhile: all of it would be written by then.
    for (let asked = 0; asked < 50; asked++) await ebb.call('timeline.get', { vmId: vm.vmId });
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true });
    expect(left()).toEqual([false, true]);
    await resume(taskId);
    await ebb.done(taskId);
    expect(left()).toEqual([true, false]);
    update = paths.at(-1) ?? '';
  });

  it('an update that comes in waits, its reader stopped, leaves nothing when it is cancelled, and comes in whole', async () => {
    const copy = await ebb.call('vm.clone', {
      ...{ vmId: vm.vmId, momentId: (await vm.named('Imported')).id, name: 'waiting copy' },
    });
    await ebb.done(copy.taskId);
    const { file } = await ebb.call('file.register', { path: update });
    const bring = () => ebb.call('moment.import-delta', { vmId: copy.vmId, file, name: 'update' });
    const moments = async () => (await ebb.call('timeline.get', { vmId: copy.vmId })).moments;
    const files = () => readdirSync(at(join('vms', copy.vmId, 'disks')), { recursive: true }).map(String);
    const given = await pausedInTheMiddle(bring);
    await stopped();
    await cancel(given);
    expect(await ebb.done(given)).toMatchObject({ state: 'cancelled', isPaused: false });
    await gone();
    expect(await moments()).toHaveLength(1);
    expect(files().filter(name => name.endsWith('.part'))).toEqual([]);
    const taskId = await pausedInTheMiddle(bring);
    await stopped();
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true });
    await resume(taskId);
    await ebb.done(taskId);
    const { pointId, diskId } = (await moments()).find(({ name }) => name === 'update')?.points[0] ?? {};
    if (pointId === undefined || diskId === undefined) throw new Error('not reached');
    expect(await ebb.hashPoint(copy.vmId, diskId, pointId, large.length)).toBe(unitsOf(vm.now));
  });

  it('a chain that comes in with its history waits, leaves no VM when it is cancelled, and comes in whole', async () => {
    // What an update is made of: one image on the other.
    const parent = { uuid: CHAIN_UUID, name: 'chain-0.vhd' };
    const child = randomBytes(CHAIN_BYTES, 22);
    const newer = { content: child, kind: 'differencing' as const, uuid: CHAIN_CHILD_UUID, parent };
    writeFileSync(
      at('chain-0.vhd'),
      writeForeignVhd({ content: randomBytes(CHAIN_BYTES, 21), uuid: CHAIN_UUID }),
    );
    writeFileSync(at('chain-1.vhd'), writeForeignVhd(newer));
    const { file } = await ebb.call('file.register', { path: at('chain-1.vhd') });
    const names = async () => (await ebb.call('vm.list', {})).vms.map(({ spec }) => spec.name).sort();
    const before = await names();
    let [made, tries] = [vm.vmId, 0];
    const bring = async () => {
      const begun = await ebb.call('vm.create', {
        ...{ name: `chain ${++tries}`, os: 'other', cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
        source: { kind: 'disk', file, format: 'vhd', history: true },
      });
      made = begun.vmId;
      return begun;
    };
    const given = await pausedInTheMiddle(bring);
    const wanted = `chain ${tries}`;
    await stopped();
    await cancel(given);
    expect(await ebb.done(given)).toMatchObject({ state: 'cancelled', isPaused: false });
    await gone();
    expect((await names()).filter(name => !before.includes(name))).not.toContain(wanted);
    const taskId = await pausedInTheMiddle(bring);
    await stopped();
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true });
    await resume(taskId);
    await ebb.done(taskId);
    await ebb.settled(made);
    const { moments } = await ebb.call('timeline.get', { vmId: made });
    expect(moments.map(({ name }) => name)).toEqual(['chain-0', 'chain-1']);
    for (const [index, { points }] of moments.entries()) {
      const { diskId, pointId } = points[0] ?? {};
      if (pointId === undefined || diskId === undefined) throw new Error('not reached');
      const content = randomBytes(CHAIN_BYTES, 21 + index);
      expect(await ebb.hashPoint(made, diskId, pointId, CHAIN_BYTES)).toBe(unitsOf(content));
    }
  });
});
