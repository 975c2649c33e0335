// A package without Electron, on a machine that knows nothing of this repository: its services run from their copy in
// the data folder, outlive the package's folder, and make way for the next version under a guest that goes on writing.
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';
import { programOf, runPacked, runProgram, unpackVersion } from '../support/package-folder.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const DEV = '/dev/vda';
let folder: string;
let data: string;
let ebb: Ebb | null = null;
let agent: Agent;
let vmId: VmId;
let qemuPid: number;

const version = (from: string): { version: string; pid: number } => {
  const { status, stdout, stderr } = runPacked(join(folder, from), data, ['version', '--json']);
  if (status !== 0) throw new Error(`ebb of ${from} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
};
const runtimeOf = (which: string): string => join(data, 'runtime', which);
const acked = async (): Promise<number> => Number((await agent.call('writer-report')).acked);
const joined = async (): Promise<Ebb> => {
  ebb = await Ebb.start(data);
  return ebb;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-pk-'));
  data = join(folder, 'd');
  await unpackVersion(join(folder, 'one'), '1.0.0');
  await unpackVersion(join(folder, 'two'), '1.10.0');
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe('a package', () => {
  it('DESIGN §2: starts control and storage on its own Node, from the copy in the data folder', async () => {
    expect(version('one').version).toBe('1.0.0');
    const own = await joined();
    expect(programOf(own.controlPid())).toBe(join(runtimeOf('1.0.0'), 'bin', 'node'));
    expect(programOf(await own.storagePid())).toBe(join(runtimeOf('1.0.0'), 'bin', 'node'));
  });

  it('is found through links, as one in /usr/bin is, and prints its manual', () => {
    symlinkSync(join(folder, 'one', 'resources', 'runtime', 'bin'), join(folder, 'linked'));
    symlinkSync('linked/ebb', join(folder, 'ebb'));
    const told = runProgram(join(folder, 'ebb'), data, ['man']);
    expect(told).toMatchObject({ status: 0, stderr: '' });
    expect(told.stdout).toContain('.TH EBB 1');
  });

  it('leaves a guest running whose services go on when the package is gone (an AppImage unmounts)', async () => {
    const own = await joined();
    ({ vmId } = await own.createSample('demo'));
    agent = await own.startVm(vmId);
    await agent.call('writer-start', { dev: DEV, offset: 0, slots: 64, pauseMs: 1 });
    cpSync(join(folder, 'one'), join(folder, 'old'), { recursive: true });
    rmSync(join(folder, 'one'), { recursive: true });
    const before = await acked();
    await waitFor('the guest to go on', async () => (await acked()) > before);
    qemuPid = (await own.state(vmId)).pid ?? 0;
    await own.call('moment.take', { vmId, name: 'before the upgrade', note: '' });
  });

  it('an upgrade adopts the running VM, restarts control, then storage; the guest loses no write', async () => {
    const before = await joined();
    const [control, storage] = [before.controlPid(), await before.storagePid()];
    expect(version('two').version).toBe('1.10.0');
    const after = await joined();
    expect(after.controlPid()).not.toBe(control);
    expect(await after.storagePid()).not.toBe(storage);
    expect(programOf(after.controlPid())).toBe(join(runtimeOf('1.10.0'), 'bin', 'node'));
    expect(programOf(await after.storagePid())).toBe(join(runtimeOf('1.10.0'), 'bin', 'node'));
    expect(await after.state(vmId)).toMatchObject({ phase: 'running', pid: qemuPid });
    const seen = await acked();
    await waitFor('the guest to go on', async () => (await acked()) > seen);
    await agent.call('writer-stop');
    expect(Number((await agent.call('writer-verify')).bad)).toBe(0);
    const { moments } = await after.call('timeline.get', { vmId });
    expect(moments.map(({ name }) => name)).toContain('before the upgrade');
  });

  it('removes the runtime that nothing runs from any more', () => {
    expect(readdirSync(join(data, 'runtime'))).toEqual(['1.10.0']);
  });

  it('an older one that is still there takes nothing back, and starts what is newer', async () => {
    const { pid } = version('old');
    expect(version('old')).toMatchObject({ version: '1.10.0', pid });
    const own = await joined();
    await own.stopVm(vmId);
    await own.quit();
    expect(version('old').version).toBe('1.10.0');
    expect(existsSync(runtimeOf('1.0.0'))).toBe(false);
    await joined();
  });

  it('says so where its own files are not what they should be, and starts nothing', () => {
    writeFileSync(join(folder, 'two', 'resources', 'runtime', 'electron', 'control', 'main.js'), 'damaged');
    const other = join(folder, 'e');
    const told = runPacked(join(folder, 'two'), other, ['version']);
    expect(told.status).not.toBe(0);
    expect(told.stderr).toContain('electron/control/main.js is not what its package says');
    expect(readdirSync(join(other, 'runtime'))).toEqual([]);
  });
});
