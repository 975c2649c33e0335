// What goes wrong around a VM, on real parts: QEMU missing, dying, ranges that cannot be, a disk that is somebody
// else's, a host disk that fills up. Each says what happened, what is safe and what to do, and nothing is lost.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ErrorBody, errorText } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const programs = mkdtempSync(join(tmpdir(), 'ebb-t-path-'));
const PATH = process.env.PATH ?? '';
const real = execFileSync('sh', ['-c', 'command -v qemu-system-x86_64']).toString().trim();

/** The body of the refusal; what was not refused fails. */
async function refusal(work: Promise<unknown>): Promise<ErrorBody> {
  const fault = await work.then(
    value => value,
    (cause: unknown) => cause,
  );
  expect(fault).toBeInstanceOf(Fault);
  const { body } = fault as Fault;
  for (const part of [body.what, body.safe, body.todo]) expect(part.length).toBeGreaterThan(8);
  return body;
}

describe('a computer without QEMU, and one whose QEMU does not start', () => {
  let ebb: Ebb;
  let vmId: VmId;
  let agent: Agent;

  beforeAll(async () => {
    // Everything but QEMU is on the PATH.
    const names = new Set<string>();
    for (const folder of PATH.split(':').filter(name => name.startsWith('/usr') || name.startsWith('/bin')))
      for (const name of readdirSync(folder)) {
        if (names.has(name) || name.startsWith('qemu')) continue;
        names.add(name);
        symlinkSync(join(folder, name), join(programs, name));
      }
    process.env.PATH = programs;
    ebb = await Ebb.start();
    ({ vmId } = await ebb.createSample('lone', { minMib: 112, maxMib: 128, diskMib: 16 }));
  });
  afterAll(async () => {
    await ebb?.dispose();
    process.env.PATH = PATH;
    rmSync(programs, { recursive: true, force: true });
  });

  const startFails = async (): Promise<ErrorBody> =>
    refusal(ebb.done((await ebb.call('vm.start', { vmId })).taskId));
  const isWhole = async (): Promise<void> => {
    expect((await ebb.state(vmId)).pid).toBeNull();
    const host = await ebb.call('memory.host', {});
    expect(host.leasedKib).toBe(0);
    // T17: what changed until then is settled first.
    await waitFor(
      'rest',
      async () => (await ebb.call('timeline.get', { vmId })).settle.state === 'rest' || null,
    );
  };

  it('QEMU is missing: start is refused with the command that installs it', async () => {
    const body = await startFails();
    expect(body).toMatchObject({ code: 'qemu.missing', todo: expect.stringContaining('apt-get install') });
    const { checks } = await ebb.call('doctor.run', {});
    expect(checks.find(check => check.id === 'qemu')).toMatchObject({ state: 'fail' });
    await isWhole();
  });

  it('QEMU dies at start: its own words are passed on, and once it is mended the VM starts', async () => {
    // The real QEMU, told of a device it does not have, for VMs only.
    const path = join(programs, 'qemu-system-x86_64');
    writeFileSync(
      path,
      `#!/bin/sh\ncase "$*" in *debug-threads*) exec ${real} "$@" -device no-such-thing;; esac\nexec ${real} "$@"\n`,
    );
    chmodSync(path, 0o755);
    const body = await startFails();
    expect(body.code).toBe('vm.start-failed');
    expect(body.what).toContain('no-such-thing');
    expect(await ebb.state(vmId)).toMatchObject({ phase: 'failed' });
    await isWhole();
    rmSync(path);
    symlinkSync(real, path);
    agent = await ebb.startVm(vmId);
    await agent.call('write', { dev: '/dev/vda', offset: 0, length: MIB, seed: 5 });
  });

  it('QEMU dies while running: said so, and what the guest had flushed is there at the next start', async () => {
    const { pid } = await ebb.state(vmId);
    const before = await agent.call('hash', { dev: '/dev/vda', offset: 0, length: MIB });
    process.kill(pid ?? 0, 'SIGKILL');
    const state = await waitFor('the death to be noticed', async () => {
      const found = await ebb.state(vmId);
      return found.phase === 'failed' ? found : null;
    });
    expect(state.error?.code).toBe('vm.died');
    await isWhole();
    const again = await ebb.startVm(vmId);
    expect(await again.call('hash', { dev: '/dev/vda', offset: 0, length: MIB })).toEqual(before);
    await ebb.stopVm(vmId);
  });

  it('a guest asked to shut down before it can hear does so when it can; asking again is no error', async () => {
    await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
    const asked = await Promise.all([1, 2].map(() => ebb.call('vm.stop', { vmId, how: 'shutdown' })));
    expect(await ebb.state(vmId)).toMatchObject({ phase: 'stopping', guestUp: false });
    for (const { taskId } of asked) await ebb.done(taskId);
    expect(await ebb.state(vmId)).toMatchObject({ phase: 'off', error: null });
  });

  it('M10: ranges that cannot be are refused, and the old one stays', async () => {
    const before = (await ebb.call('vm.get', { vmId })).spec;
    const { totalKib } = await ebb.call('memory.host', {});
    const set = (minKib: number, maxKib: number): Promise<ErrorBody> =>
      refusal(ebb.call('memory.set-range', { vmId, minKib, maxKib }));
    expect((await set(256 * 1024, 128 * 1024)).code).toBe('memory.bad-range');
    expect((await set(1024, 128 * 1024)).code).toBe('memory.bad-range');
    expect((await set(128 * 1024, totalKib * 2)).code).toBe('memory.over-host');
    expect((await ebb.call('vm.get', { vmId })).spec).toEqual(before);
    const { vms } = await ebb.call('vm.list', {});
    const create = refusal(ebb.createSample('never', { minMib: 512, maxMib: 256, diskMib: 16 }));
    expect((await create).code).toBe('memory.bad-range');
    expect((await ebb.call('vm.list', {})).vms).toHaveLength(vms.length);
    expect(readdirSync(join(ebb.paths.dataFolder, 'vms'))).toHaveLength(vms.length);
  });

  it('a disk that belongs to another VM is not taken over', async () => {
    const { spec } = await ebb.call('vm.get', { vmId });
    const folder = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', spec.disks[0]?.id ?? '');
    const name = readdirSync(folder).find(file => file.endsWith('.vhd')) ?? '';
    const { file } = await ebb.call('file.register', { path: join(folder, name) });
    const body = await refusal(
      ebb.call('vm.create', {
        name: 'thief',
        os: 'linux',
        cpus: 1,
        minKib: 128 * 1024,
        maxKib: 256 * 1024,
        source: { kind: 'disk', file, format: 'vhd' },
      }),
    );
    expect(body).toMatchObject({ code: 'disk.owned-elsewhere', what: expect.stringContaining('lone') });
    expect((await ebb.call('vm.list', {})).vms).toHaveLength(1);
  });
});

const canMount = process.getuid?.() === 0;
if (!canMount) console.log('full host disk: skipped, mounting a small file system needs root');

describe.skipIf(!canMount)('a host disk that fills up', () => {
  const disk = mkdtempSync(join(tmpdir(), 'ebb-t-full-'));
  let ebb: Ebb;

  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'ebb-test', disk]);
    mkdirSync(join(disk, 'data'));
    ebb = await Ebb.start(join(disk, 'data'));
  });
  afterAll(async () => {
    await ebb?.dispose();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it('T14, L5: the VM pauses with the reason, goes on by itself when there is room, and lost nothing', async () => {
    const { vmId } = await ebb.createSample('full', { minMib: 112, maxMib: 128, diskMib: 512 });
    const agent = await ebb.startVm(vmId);
    const writing = agent.call('write', { dev: '/dev/vda', offset: 0, length: 384 * MIB, seed: 8 });
    const paused = await waitFor('the VM to pause', async () => {
      const state = await ebb.state(vmId);
      return state.phase === 'paused' ? state : null;
    });
    expect(paused.detail).toMatch(/disk is full.*nothing is lost/i);
    // The write that found no room may have been larger than a new image: nothing at all is left now.
    expect(spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k']).status).toBe(1);
    const body = await refusal(ebb.call('moment.take', { vmId, name: 'no room', note: '' }));
    expect(body.code, errorText(body)).toBe('disk.full');
    expect((await ebb.call('timeline.get', { vmId })).moments).toHaveLength(0);
    execFileSync('mount', ['-o', 'remount,size=1g', disk]);
    expect(await writing).toMatchObject({ bytes: String(384 * MIB) });
    expect((await ebb.state(vmId)).phase).toBe('running');
    const read = await agent.call('hash', {
      dev: '/dev/vda',
      offset: 0,
      length: 384 * MIB,
      algorithm: 'units',
    });
    const taken = await ebb.call('moment.take', { vmId, name: 'room again', note: '' });
    expect(taken.allocatedBytes).toBeGreaterThanOrEqual(384 * MIB);
    // The same seed on a disk of its own that never was full gives the same bytes.
    await agent.call('write', { dev: '/dev/vda', offset: 0, length: 384 * MIB, seed: 8 });
    expect(
      await agent.call('hash', { dev: '/dev/vda', offset: 0, length: 384 * MIB, algorithm: 'units' }),
    ).toEqual(read);
  });
});
