// Long work over the real processes: paused in the middle it stands still, through a death of control too, and goes on to
// the right bytes; cancelled it leaves nothing; where control dies in the middle the next one does it. No guest runs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { ebbCommand, HistoryVm } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';
import { type SlowQemuImg, slowQemuImg } from '../support/slow-qemu-img.ts';
import { steering } from '../support/steered-tasks.ts';

// Services are started again and again: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const small = randomBytes(8 * MIB, 11);
/** Of many pieces: what takes one is over before anybody can look. */
const large = Buffer.alloc(256 * MIB, randomBytes(MIB, 12));

let ebb: Ebb;
let tool: SlowQemuImg;
let storagePid: number;
let source: { vmId: VmId; momentId: MomentId };

const { taskOf, pause, resume, cancel, stopped, gone, inTheMiddle, goOn } = steering(
  () => ebb,
  () => storagePid,
);
const at = (name: string): string => join(ebb.paths.dataFolder, name);
const bytesOf = async (taskId: string): Promise<number> => (await taskOf(taskId)).bytesDone ?? 0;
/** Nothing of it, and nothing known, are not some. */
const someRead = (taskId: string): Promise<number> =>
  waitFor('a piece to be read', async () => (await bytesOf(taskId)) || null);
async function begunSlowly(begin: () => Promise<{ taskId: string }>): Promise<string> {
  tool.slow(true);
  const { taskId } = await begin();
  await waitFor('some of it to be copied', async () => (await bytesOf(taskId)) > 0);
  tool.slow(false);
  return taskId;
}
const exportTo = (path: string) => ebb.call('moment.export', { ...source, format: 'raw', path });
const clone = (name: string) => ebb.call('vm.clone', { ...source, name });
async function create(name: string) {
  writeFileSync(at('small.img'), small);
  const { file } = await ebb.call('file.register', { path: at('small.img') });
  return ebb.call('vm.create', {
    ...{ name, os: 'other', cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
    source: { kind: 'disk', file, format: 'raw' },
  });
}
const firstOf = async (vmId: VmId): Promise<MomentId> =>
  (await ebb.call('timeline.get', { vmId })).moments[0]?.id as MomentId;
function expectSmall(path: string): void {
  expect(readFileSync(path).subarray(0, small.length).equals(small)).toBe(true);
}

beforeAll(async () => {
  tool = slowQemuImg();
  ebb = await Ebb.start();
  storagePid = await ebb.storagePid();
  const { vmId, taskId } = await create('source');
  await ebb.done(taskId);
  source = { vmId, momentId: await firstOf(vmId) };
});
afterEach(goOn);
afterAll(async () => {
  await ebb?.dispose();
  tool.remove();
});

describe('a copy by a tool', () => {
  it.each([
    ['an export', 'paused.img', (name: string) => exportTo(at(name))],
    ['a clone', 'paused clone', clone],
    ['a VM made from an image', 'paused import', create],
  ] as const)(
    '%s stands still while it is paused, and goes on to the right bytes',
    async (what, name, begin) => {
      let vmId = source.vmId;
      const taskId = await begunSlowly(async () => {
        const begun = await begin(name);
        if ('vmId' in begun) ({ vmId } = begun);
        return begun;
      });
      // However long the command takes to start, the copy is not done before it.
      process.kill(storagePid, 'SIGSTOP');
      expect(await taskOf(taskId)).toMatchObject({ canPause: true, isPaused: false });
      expect((await ebbCommand(ebb, 'task', 'pause', taskId.slice(0, 8))).out).toContain('paused');
      goOn();
      await stopped();
      expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true });
      expect((await ebbCommand(ebb, 'task', 'list')).out).toMatch(/ paused +\d+ % .* of 8 MiB/);
      expect((await ebbCommand(ebb, 'task', 'resume', taskId.slice(0, 8))).out).toContain('goes on');
      await ebb.done(taskId);
      if (what === 'an export') return expectSmall(at(name));
      const told = { vmId, momentId: await firstOf(vmId), format: 'raw' as const, path: at(`${name}.out`) };
      await ebb.done((await ebb.call('moment.export', told)).taskId);
      expectSmall(told.path);
    },
  );

  it('stays paused when control dies, its tool dies with it, and told to go on it is done by the next', async () => {
    const path = at('outlived.img');
    const taskId = await begunSlowly(() => exportTo(path));
    await pause(taskId);
    await stopped();
    await ebb.killControl(() => expect(existsSync(`${path}.part`)).toBe(true));
    await gone();
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true, bytesDone: null });
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
    await resume(taskId);
    await ebb.done(taskId);
    expectSmall(path);
  });

  it('ends when it is cancelled while it is paused, and leaves nothing', async () => {
    const path = at('given-up.img');
    const taskId = await begunSlowly(() => exportTo(path));
    await pause(taskId);
    await stopped();
    await cancel(taskId);
    expect(await ebb.done(taskId)).toMatchObject({ state: 'cancelled', isPaused: false });
    await gone();
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
    await ebb.killControl();
    expect((await ebb.call('task.list', {})).tasks).toEqual([]);
  });

  it('an installer is copied whole, and one that changes after it was chosen is refused', async () => {
    writeFileSync(at('debian.iso'), small);
    const wanted = async (name: string) => ({
      ...{ name, os: 'other' as const, cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
      source: {
        kind: 'iso' as const,
        file: (await ebb.call('file.register', { path: at('debian.iso') })).file,
        diskBytes: 64 * MIB,
      },
    });
    const made = await ebb.call('vm.create', await wanted('from an installer'));
    expect(await ebb.done(made.taskId)).toMatchObject({ state: 'done' });
    expectSmall(at(join('vms', made.vmId, 'installer.iso')));
    const changing = await wanted('from another');
    writeFileSync(at('debian.iso'), 'another');
    const { taskId } = await ebb.call('vm.create', changing);
    await expect(ebb.done(taskId)).rejects.toMatchObject({ body: { code: 'import.changed' } });
  });

  it('an installer is taken out and another put in while the VM is off, and what a dead control left of it is removed', async () => {
    const { vmId } = await ebb.vmNamed('from an installer');
    const inDrive = () => ebb.call('vm.get', { vmId }).then(({ spec: { boot } }) => boot);
    const copies = () => readdirSync(at(join('vms', vmId))).filter(name => name.includes('.iso'));
    expect(await inDrive()).toEqual({ kind: 'iso', isoName: 'installer.iso', label: 'debian.iso' });
    const out = await ebbCommand(ebb, 'vm', 'eject', 'from an installer');
    expect(out.out).toContain('Took debian.iso out of from an installer and removed the copy (8 MiB).');
    expect([await inDrive(), copies()]).toEqual([{ kind: 'disk' }, []]);
    expect(await ebb.call('vm.eject', { vmId })).toEqual({ removedBytes: 0 });
    writeFileSync(at('rescue.iso'), small);
    const put = await ebbCommand(ebb, 'vm', 'insert', 'from an installer', at('rescue.iso'));
    expect([put.code, put.out]).toEqual([0, expect.stringContaining('rescue.iso is in the CD drive of')]);
    const boot = await inDrive();
    const name = boot.kind === 'iso' ? boot.isoName : '';
    expect([boot, copies()]).toEqual([{ kind: 'iso', isoName: name, label: 'rescue.iso' }, [name]]);
    expectSmall(at(join('vms', vmId, name)));
    await ebb.killControl(() => {
      for (const left of ['installer.iso', `${name}.new`, 'mine.iso'])
        writeFileSync(at(join('vms', vmId, left)), 'left');
    });
    expect(copies().sort()).toEqual([name, 'mine.iso']);
    // L4: as if it were suspended.
    const record = {
      bootKib: 1,
      accelerator: 'tcg',
      argv: [],
      hasBalloon: true,
      folders: { home: '/h', run: '/r' },
    };
    const saved = at(join('vms', vmId, 'suspended'));
    mkdirSync(saved);
    writeFileSync(join(saved, 'record.json'), JSON.stringify(record));
    const { file } = await ebb.call('file.register', { path: at('rescue.iso') });
    for (const ask of [() => ebb.call('vm.eject', { vmId }), () => ebb.call('vm.insert', { vmId, file })])
      await expect(ask()).rejects.toMatchObject({
        body: { code: 'vm.wrong-state', todo: expect.stringContaining('saved memory') },
      });
    expect(await inDrive()).toEqual(boot);
    rmSync(saved, { recursive: true });
  });

  it('what cannot wait says so: nothing is paused then', async () => {
    const { vmId } = await ebb.vmNamed('paused clone');
    process.kill(storagePid, 'SIGSTOP');
    const { taskId } = await ebb.call('vm.delete', { vmId });
    expect(await taskOf(taskId)).toMatchObject({ canPause: false });
    await expect(pause(taskId)).rejects.toMatchObject({ body: { code: 'vm.wrong-state' } });
    goOn();
    expect(await ebb.done(taskId)).toMatchObject({ state: 'done' });
    await expect(pause(taskId)).rejects.toMatchObject({ body: { code: 'task.not-found' } });
  });
});

describe('work of storage, piece by piece', () => {
  let vm: HistoryVm;
  let whole: VerifyReport;
  const verify = () => ebb.call('vm.verify', { vmId: vm.vmId });
  const report = async (): Promise<VerifyReport> =>
    (await ebb.call('vm.verify-report', { vmId: vm.vmId })).report as VerifyReport;
  const expectWhole = async (): Promise<void> =>
    expect({ ...(await report()), startedAt: 0 }).toEqual({ ...whole, startedAt: 0 });

  beforeAll(async () => {
    vm = await HistoryVm.create(ebb, 'large', large);
    await vm.take('second', [{ at: 16 * MIB, bytes: randomBytes(96 * MIB, 13) }]);
    await ebb.settled(vm.vmId);
    await ebb.done((await verify()).taskId);
    whole = await report();
    expect(whole).toMatchObject({ state: 'done', damages: [] });
    expect(whole.checkedBytes).toBeGreaterThan(large.length);
  });

  it('a check in the middle of which control dies is done by the next one, with the same result', async () => {
    const taskId = await inTheMiddle(verify);
    await ebb.killControl(goOn);
    expect(await ebb.done(taskId)).toMatchObject({ state: 'done', kind: 'vm.verify' });
    await expectWhole();
  });

  it('a paused one goes on from where it stood, also by another control: nothing is left out or read twice', async () => {
    const taskId = await inTheMiddle(verify);
    await pause(taskId);
    goOn();
    const stood = await someRead(taskId);
    await ebb.killControl();
    expect(await taskOf(taskId)).toMatchObject({ isPaused: true, canPause: true });
    // One piece, no more: storage stands still until it is told to wait again.
    process.kill(storagePid, 'SIGSTOP');
    await resume(taskId);
    await pause(taskId);
    goOn();
    expect(await someRead(taskId)).toBeGreaterThan(stood);
    await resume(taskId);
    await ebb.done(taskId);
    await expectWhole();
  });

  it('a cancelled one ends as stopped, and what it has read is told', async () => {
    const taskId = await inTheMiddle(verify);
    await cancel(taskId);
    goOn();
    expect(await ebb.done(taskId)).toMatchObject({ state: 'cancelled', error: null });
    const { state, checkedBytes } = await report();
    expect(state).toBe('stopped');
    expect(checkedBytes).toBeLessThan(whole.checkedBytes);
    await ebb.done((await verify()).taskId);
    await expectWhole();
  });

  /** Asked for, and not done yet when tidying is paused: storage may be through with it before it stands still. */
  async function compactHeld(): Promise<string> {
    const { vmId } = vm;
    for (;;) {
      const taskId = await inTheMiddle(() => ebb.call('vm.compact', { vmId }));
      const holding = ebb.call('settle.set', { vmId, to: 'pause' });
      goOn();
      await holding;
      if ((await ebb.call('timeline.get', { vmId })).settle.compact.isPending) return taskId;
      await ebb.call('settle.set', { vmId, to: 'run' });
      await ebb.done(taskId);
    }
  }

  it('giving space back waits with a pause, and goes on with it, through a death of control', async () => {
    const { vmId } = vm;
    const settle = async () => (await ebb.call('timeline.get', { vmId })).settle;
    const asked = (is: { isPending: boolean; isPaused: boolean }) =>
      waitFor(`it to be ${JSON.stringify(is)}`, async () => {
        const { isPending, isPaused } = (await settle()).compact;
        return isPending === is.isPending && isPaused === is.isPaused;
      });
    const taskId = await compactHeld();
    await asked({ isPending: true, isPaused: false });
    await pause(taskId);
    await asked({ isPending: true, isPaused: true });
    await ebb.killControl();
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: true });
    expect((await settle()).compact).toMatchObject({ isPending: true, isPaused: true });
    await resume(taskId);
    await asked({ isPending: true, isPaused: false });
    await ebb.killControl();
    await asked({ isPending: true, isPaused: false });
    expect(await taskOf(taskId)).toMatchObject({ state: 'running', isPaused: false });
    await ebb.call('settle.set', { vmId, to: 'run' });
    expect(await ebb.done(taskId)).toMatchObject({ state: 'done' });
    expect(await vm.wrong()).toEqual([]);
  });

  it('giving space back that is cancelled while it waits is asked for no longer', async () => {
    const { vmId } = vm;
    const settle = async () => (await ebb.call('timeline.get', { vmId })).settle;
    const taskId = await compactHeld();
    await pause(taskId);
    await waitFor('it to be paused', async () => (await settle()).compact.isPaused);
    await cancel(taskId);
    expect(await ebb.done(taskId)).toMatchObject({ state: 'cancelled' });
    expect((await settle()).compact).toMatchObject({ isPending: false, isPaused: false });
    await ebb.call('settle.set', { vmId, to: 'run' });
  });
});
