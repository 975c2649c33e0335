// T14 for what control does with whole disks: with too little room nothing is begun; where the room goes away in the middle
// the task fails with that reason, what it had begun is gone, and the disk it was about is unharmed. No guest runs.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { HistoryVm } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';
import { type SlowQemuImg, slowQemuImg } from '../support/slow-qemu-img.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const SIZE = 40 * MIB;
const SECOND = randomBytes(24 * MIB, 2);
/** Of the file system: room for all of it, and for what is kept free. */
const ROOM_MIB = 900;
/** A delta that is written in less time than it takes to be seen is written again. */
const TRIES = 10;

const canMount = process.getuid?.() === 0;
if (!canMount) console.log('full disk: skipped, mounting a small file system needs root');

describe.skipIf(!canMount)('a host disk with little room', () => {
  const disk = mkdtempSync(join(tmpdir(), 'ebb-t-room-'));
  const out = join(disk, 'out');
  let ebb: Ebb;
  let tool: SlowQemuImg;
  let vm: HistoryVm;
  let twin: VmId;
  let update: string;

  const resize = (mib: number): void =>
    void execFileSync('mount', ['-o', `remount,size=${mib}m`, disk], { stdio: 'ignore' });
  const leave = (mib: number): void => {
    for (let more = 0; ; more++) {
      const { blocks, bfree, bsize } = statfsSync(disk);
      try {
        return resize(Math.ceil(((blocks - bfree) * bsize) / MIB) + mib + more);
      } catch (cause) {
        // What is being copied went on between the look and the answer to it.
        if (more > 4) throw cause;
      }
    }
  };
  const listing = (): string[] =>
    [
      ...readdirSync(join(ebb.paths.dataFolder, 'vms')),
      ...readdirSync(join(ebb.paths.dataFolder, 'vms', vm.vmId, 'disks', vm.diskId)),
      ...readdirSync(join(ebb.paths.dataFolder, 'vms', twin, 'disks'), { recursive: true }).map(String),
      ...readdirSync(out),
    ].sort();
  const moment = async (name: string): Promise<string> => (await vm.named(name)).id;

  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_MIB}m`, 'ebb-test', disk]);
    mkdirSync(out);
    tool = slowQemuImg();
    ebb = await Ebb.start(join(disk, 'data'));
    vm = await HistoryVm.create(ebb, 'full', randomBytes(SIZE, 1));
    const made = await clone('twin');
    await ebb.done(made.taskId);
    twin = made.vmId;
    await vm.take('second', [{ at: 4 * MIB, bytes: SECOND }]);
    await ebb.settled(vm.vmId);
    const written = await exportDelta(join(out, 'update.vhd'));
    await ebb.done(written.taskId);
    update = written.path;
  });
  afterAll(async () => {
    tool?.remove();
    await ebb?.dispose();
    // Storage takes a moment to be gone after it was told to.
    await waitFor('nobody to use it', () => spawnSync('umount', [disk]).status === 0);
    rmSync(disk, { recursive: true, force: true });
  });

  const exportTo = async (path: string) =>
    ebb.call('moment.export', { vmId: vm.vmId, momentId: await moment('second'), format: 'raw', path });
  const clone = async (name: string) =>
    ebb.call('vm.clone', { vmId: vm.vmId, momentId: await moment('Imported'), name });
  /** Of the image the first was made from. */
  const make = async (name: string) => {
    const { file } = await ebb.call('file.register', { path: join(ebb.paths.dataFolder, 'full.img') });
    const source = { kind: 'disk' as const, file, format: 'raw' as const };
    return ebb.call('vm.create', {
      name,
      os: 'other',
      cpus: 1,
      minKib: 128 * 1024,
      maxKib: 256 * 1024,
      source,
    });
  };
  const exportDelta = async (path: string) => {
    const [fromId, toId] = [await moment('Imported'), await moment('second')];
    return ebb.call('moment.export-delta', { vmId: vm.vmId, fromId, toId, path });
  };
  const importDelta = async () => {
    const { file } = await ebb.call('file.register', { path: update });
    return ebb.call('moment.import-delta', { vmId: twin, file });
  };
  const OPERATIONS = [
    ['an export', () => exportTo(join(out, 'second.img'))],
    ['a clone', () => clone('never')],
    ['an update written', () => exportDelta(join(out, 'again.vhd'))],
    ['an update brought in', importDelta],
  ] as const;

  const full = (words: RegExp) => ({ body: { code: 'disk.full', safe: expect.stringMatching(words) } });
  /** Nothing is there that was not, nobody is told of anything new, and every point is what it was. */
  async function expectAsBefore(before: readonly string[]): Promise<void> {
    expect(listing()).toEqual(before);
    const { vms } = await ebb.call('vm.list', {});
    expect(vms.map(({ spec }) => spec.name).sort()).toEqual(['full', 'twin']);
    expect((await ebb.call('timeline.get', { vmId: twin })).moments).toHaveLength(1);
    expect(await vm.wrong()).toEqual([]);
  }

  const whatNeedsRoom = async (): Promise<string[]> => {
    const of = {
      vmId: twin,
      momentId: (await ebb.call('timeline.get', { vmId: twin })).moments[0]?.id ?? '',
    };
    const said = await Promise.allSettled([
      ebb.call('moment.take', { vmId: twin, name: 'never', note: '' }),
      ebb.call('moment.update', { ...of, note: 'n'.repeat(4000) }),
      ebb.call('moment.files', of),
      ebb.call('timeline.get', { vmId: twin }),
    ]);
    return said.map(one => (one.status === 'fulfilled' ? 'done' : (one.reason as Fault).body.code));
  };

  it('where there is no room at all who has a token signs in, a link is used for good or good yet, and what needs room says so', async () => {
    const { secret } = await ebb.call('headless.create-token', { name: 'ana', role: 'view' });
    const { token } = await ebb.call('headless.link', { role: 'view' });
    const signIn = (said: string) =>
      ebb.call('headless.sign-in', { token: said, address: '127.0.0.1' }).then(
        () => 'in',
        (cause: unknown) => (cause instanceof Fault ? cause.body.code : String(cause)),
      );
    // Until databases find no room in what they have already.
    execFileSync('sh', ['-c', `cat /dev/zero > ${join(disk, 'rest')} || true`], { stdio: 'ignore' });
    leave(0);
    const came = [];
    for (let n = 0; n < 40; n++) came.push(await signIn(secret));
    expect(new Set(came)).toEqual(new Set(['in']));
    const first = await signIn(token);
    expect(['in', 'disk.full']).toContain(first);
    expect(await whatNeedsRoom()).toEqual([...Array(3).fill('disk.full'), 'done']);
    resize(ROOM_MIB);
    rmSync(join(disk, 'rest'));
    expect(await signIn(token)).toBe(first === 'in' ? 'rpc.denied' : 'in');
    expect(await signIn(token)).toBe('rpc.denied');
  });

  it.each(OPERATIONS)('%s is refused before anything is made', async (_, begin) => {
    const before = listing();
    leave(200);
    const ended = begin().then(({ taskId }) => ebb.done(taskId));
    await expect(ended).rejects.toMatchObject(full(/^Nothing was (written|created)/));
    resize(ROOM_MIB);
    await expectAsBefore(before);
  });

  it.each([
    ['an export', () => exportTo(join(out, 'second.img'))],
    ['a clone', () => clone('never')],
    ['a VM made from an image', () => make('never')],
  ] as const)(
    '%s in the middle of which the disk fills up fails with that, and leaves nothing',
    async (_, begin) => {
      const before = listing();
      tool.slow(true);
      const { taskId } = await begin();
      await waitFor('some of it to be copied', async () => {
        const task = (await ebb.call('task.list', {})).tasks.find(({ id }) => id === taskId);
        expect(task?.state).toBe('running');
        return (task?.progress ?? 0) > 0;
      });
      leave(0);
      await expect(ebb.done(taskId)).rejects.toMatchObject(full(/\w/));
      tool.slow(false);
      resize(ROOM_MIB);
      await expectAsBefore(before);
      // With room again it goes through.
      if (existsSync(join(out, 'second.img'))) throw new Error('the unfinished file has the name asked for');
    },
  );

  it('what is large but holds little is copied where there is room for what it holds', async () => {
    const path = join(out, 'sparse.img');
    writeFileSync(path, '');
    truncateSync(path, 4 * GIB);
    const { file } = await ebb.call('file.register', { path });
    const source = { kind: 'disk' as const, file, format: 'raw' as const };
    const kinds = { os: 'other' as const, cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024, source };
    const sparse = await ebb.call('vm.create', { name: 'sparse', ...kinds });
    await ebb.done(sparse.taskId);
    const [point] = (await ebb.call('timeline.get', { vmId: sparse.vmId })).moments;
    const of = { vmId: sparse.vmId, momentId: String(point?.id) };
    const copy = await ebb.call('vm.clone', { ...of, name: 'its twin' });
    await ebb.done(copy.taskId);
    const image = await ebb.call('moment.export', {
      ...of,
      format: 'qcow2',
      path: join(out, 'sparse.qcow2'),
    });
    await ebb.done(image.taskId);
    for (const { vmId } of [sparse, copy]) await ebb.done((await ebb.call('vm.delete', { vmId })).taskId);
    for (const name of ['sparse.img', 'sparse.qcow2']) rmSync(join(out, name));
  });

  it('an update written, in the middle of which it fills up: the same', async () => {
    const [before, path, storage] = [listing(), join(out, 'again.vhd'), await ebb.storagePid()];
    for (let attempt = 1; ; attempt++) {
      const { taskId } = await exportDelta(path);
      // It takes a tenth of a second: storage is held at the first byte that is seen, while the room goes away.
      const until = performance.now() + 10_000;
      while (!existsSync(`${path}.part`) && !existsSync(path) && performance.now() < until);
      process.kill(storage, 'SIGSTOP');
      leave(0);
      process.kill(storage, 'SIGCONT');
      const ended = await ebb.done(taskId).catch((cause: unknown) => cause);
      resize(ROOM_MIB);
      if (ended instanceof Error) {
        expect(ended).toMatchObject(full(/\w/));
        break;
      }
      rmSync(path);
      expect(attempt, 'it is always faster than it can be seen').toBeLessThan(TRIES);
    }
    await expectAsBefore(before);
  });

  it('an update brought in: the same, and with room again it comes in', async () => {
    const storage = await ebb.storagePid();
    const coming = await importDelta();
    // Storage stands still: the reader has hardly been started by now, and nothing is in the new image.
    process.kill(storage, 'SIGSTOP');
    leave(1);
    process.kill(storage, 'SIGCONT');
    await expect(ebb.done(coming.taskId)).rejects.toMatchObject(full(/\w/));
    expect((await ebb.call('timeline.get', { vmId: twin })).moments).toHaveLength(1);
    expect(await vm.wrong()).toEqual([]);
    resize(ROOM_MIB);
    await ebb.done((await importDelta()).taskId);
    expect((await ebb.call('timeline.get', { vmId: twin })).moments).toHaveLength(2);
    // To forget the first takes a transaction, for which there was no room then: it is tried again.
    await waitFor('the first to be forgotten', () => !listing().some(name => name.endsWith('.part')));
  });
});
