// Control dies in the middle of making something: who worked on it ends with it, and the next control puts away what is
// left and makes it anew, by itself and under the same task. What it was made from is as it was. No guest runs.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { storageContract } from '../../electron/storage/contract.ts';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { connectClient } from '../../shared/rpc/client.ts';
import type { Task } from '../../shared/task.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { HistoryVm } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';
import { type SlowQemuImg, slowQemuImg } from '../support/slow-qemu-img.ts';
import { copyingFor } from '../support/steered-tasks.ts';

// Services are started again and again: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const content = randomBytes(24 * MIB, 7);
/** Compared in several steps. */
const LONG = 96 * MIB;

let ebb: Ebb;
let tool: SlowQemuImg;
let vmId: VmId;
let momentId: MomentId;

const below = (name: string): string[] => {
  const path = join(ebb.paths.dataFolder, name);
  return existsSync(path) ? readdirSync(path).sort() : [];
};
const names = async (): Promise<string[]> =>
  (await ebb.call('vm.list', {})).vms.map(({ spec }) => spec.name).sort();
async function source(): Promise<{ kind: 'disk'; file: string; format: 'raw' }> {
  const path = join(ebb.paths.dataFolder, 'source.img');
  if (!existsSync(path)) writeFileSync(path, content);
  return { kind: 'disk', file: (await ebb.call('file.register', { path })).file, format: 'raw' };
}
const create = async (name: string) =>
  ebb.call('vm.create', {
    ...{ name, os: 'other', cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
    source: await source(),
  });
const clone = (name: string) => ebb.call('vm.clone', { vmId, momentId, name });
const exportTo = (path: string) => ebb.call('moment.export', { vmId, momentId, format: 'raw', path });

const taskOf = async (taskId: string): Promise<Task> => {
  const task = (await ebb.call('task.list', {})).tasks.find(({ id }) => id === taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  return task;
};

/** Begun, and control killed when a part of it is copied; another control is there then. */
async function killInTheMiddle(begin: () => Promise<{ taskId: string }>): Promise<string> {
  tool.slow(true);
  const { taskId } = await begin();
  await waitFor('some of it to be copied', async () => {
    const task = await taskOf(taskId);
    expect(task.state).toBe('running');
    return (task.bytesDone ?? 0) > 0;
  });
  await ebb.killControl(() => tool.slow(false));
  return taskId;
}
/** Storage, which works fast, is stopped while it writes there: it goes on when told so, and nobody hears of it till then. */
async function stopInTheMiddle(
  begin: () => Promise<{ taskId: string }>,
  path: string,
): Promise<{ taskId: string; goOn: () => void }> {
  const storage = await ebb.storagePid();
  const goOn = (): void => void process.kill(storage, 'SIGCONT');
  for (;;) {
    const { taskId } = await begin();
    await waitFor('some of it to be written', () => existsSync(`${path}.part`) || existsSync(path));
    process.kill(storage, 'SIGSTOP');
    if ((await taskOf(taskId)).state === 'running' && existsSync(`${path}.part`)) return { taskId, goOn };
    goOn();
    await ebb.done(taskId);
    rmSync(path);
  }
}
async function expectWhole(path: string): Promise<void> {
  const read = readFileSync(path);
  expect(read.subarray(0, content.length).equals(content)).toBe(true);
}

beforeAll(async () => {
  tool = slowQemuImg();
  ebb = await Ebb.start();
  const made = await create('source');
  await ebb.done(made.taskId);
  vmId = made.vmId;
  momentId = (await ebb.call('timeline.get', { vmId })).moments[0]?.id as MomentId;
});
afterAll(async () => {
  await ebb?.dispose();
  tool.remove();
});

describe('control dies in the middle', () => {
  it.each([
    ['a clone', 'twin', clone],
    ['a VM made from an image', 'imported', create],
  ] as const)(
    'of %s: it is made anew by itself, of the same id and with the right bytes',
    async (_, name, begin) => {
      const trash = below('trash');
      let half = '' as VmId;
      const taskId = await killInTheMiddle(async () => {
        const begun = await begin(name);
        half = begun.vmId;
        return begun;
      });
      expect(await ebb.done(taskId)).toMatchObject({ state: 'done', vmId: half });
      expect(await names()).toContain(name);
      await waitFor('the copying to have ended', () => copyingFor(ebb).length === 0);
      const [point] = (await ebb.call('timeline.get', { vmId: half })).moments;
      const path = join(ebb.paths.dataFolder, `${name}.out`);
      const told = { vmId: half, momentId: point?.id ?? '', format: 'raw' as const, path };
      await ebb.done((await ebb.call('moment.export', told)).taskId);
      await expectWhole(path);
      // Twice the room is not taken, and nothing of the first try is left.
      expect(below('trash')).toEqual(trash);
      expect((await ebb.call('timeline.get', { vmId: half })).moments).toHaveLength(1);
    },
  );

  it('of an export: the file is written anew by itself, whole and under its name', async () => {
    const path = join(ebb.paths.dataFolder, 'out.img');
    const taskId = await killInTheMiddle(() => exportTo(path));
    await ebb.done(taskId);
    await expectWhole(path);
    expect(existsSync(`${path}.part`)).toBe(false);
    await waitFor('the copying to have ended', () => copyingFor(ebb).length === 0);
    // Done, no later control begins it again.
    await ebb.killControl();
    expect((await ebb.call('task.list', {})).tasks).toEqual([]);
  });

  it('of making one whose image is gone meanwhile: it ends as failed, and leaves nothing', async () => {
    const before = below('vms');
    tool.slow(true);
    const { taskId } = await create('orphan');
    await waitFor('some of it to be copied', async () => ((await taskOf(taskId)).bytesDone ?? 0) > 0);
    const path = join(ebb.paths.dataFolder, 'source.img');
    await ebb.killControl(() => {
      tool.slow(false);
      rmSync(path);
    });
    await expect(ebb.done(taskId)).rejects.toMatchObject({ body: { code: 'import.changed' } });
    expect([below('vms'), await names()]).toEqual([before, expect.not.arrayContaining(['orphan'])]);
    await ebb.done((await create('orphan')).taskId);
  });

  it('of an update being written, which storage goes on with for a moment: it is written anew by itself', async () => {
    const vm = await HistoryVm.create(ebb, 'updated', Buffer.alloc(LONG));
    await vm.take('second', [{ at: 0, bytes: randomBytes(LONG, 8) }]);
    await ebb.settled(vm.vmId);
    const [fromId, toId] = [(await vm.named('Imported')).id, (await vm.named('second')).id];
    const path = join(ebb.paths.dataFolder, 'update.vhd');
    const begin = () => ebb.call('moment.export-delta', { vmId: vm.vmId, fromId, toId, path });
    const { taskId, goOn } = await stopInTheMiddle(begin, path);
    const killed = ebb.killControl();
    goOn();
    await killed;
    await ebb.done(taskId);
    expect(existsSync(`${path}.part`)).toBe(false);
    expect(readFileSync(path).length).toBeGreaterThan(LONG);
    expect(await vm.wrong()).toEqual([]);
  });

  it('of deleting, when the folder is in the trash and the list still has it: it is gone', async () => {
    const made = await create('deleted');
    await ebb.done(made.taskId);
    const before = below('trash');
    const at = (folder: string, name: string): string => join(ebb.paths.dataFolder, folder, name);
    const storage = connectClient(storageContract, await connectUnix(ebb.paths.storageSocket));
    await storage.call('vm.close', { vmId: made.vmId });
    storage.close();
    await ebb.killControl(() => {
      mkdirSync(at('trash', ''), { recursive: true });
      renameSync(at('vms', made.vmId), at('trash', `${made.vmId}-${Date.now()}`));
    });
    expect(await names()).not.toContain('deleted');
    expect(below('trash')).toHaveLength(before.length + 1);
    expect(below('vms')).not.toContain(made.vmId);
    // Its name may be had again.
    await ebb.done((await create('deleted')).taskId);
  });

  it('and leaves alone what it did not begin: a whole VM that the catalog does not know, and files of others', async () => {
    const stranger = '77777777-7777-4777-8777-777777777777';
    mkdirSync(join(ebb.paths.dataFolder, 'vms', stranger, 'disks'), { recursive: true });
    const theirs = join(ebb.paths.dataFolder, 'theirs.img.part');
    writeFileSync(theirs, 'theirs');
    await ebb.killControl();
    expect(below('vms')).toContain(stranger);
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    // What is whole carries no mark any more.
    for (const name of below('vms')) expect(below(`vms/${name}`)).not.toContain('.making');
  });
});
