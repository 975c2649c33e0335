// What can be done with a history while its guest runs and writes: cloned, compared, exported, served, checked, compacted,
// and an update made of it that goes into another VM whose guest writes, too. Nothing the guests were told is on their disks
// is lost, and every point reads as the guest itself read it.
import { execFile, spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DiskId, MomentId, PointId, VmId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/timeline.ts';
import { type Agent, type Ebb, waitFor } from '../support/ebb.ts';
import { startFromFixtures } from '../support/fixtures.ts';
import { UnitsHash } from '../support/units-hash.ts';

const run = promisify(execFile);
const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
const MIB = 2 ** 20;
const SPAN = 48 * MIB;
const DEV = '/dev/vda';
const WRITER = { dev: DEV, offset: 96 * MIB, slots: 256, pauseMs: 1 };
/** Zeros from the first point on, discarded later. */
const TRIMMED = { offset: 128 * MIB, length: 16 * MIB };

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const folder = mkdtempSync(join(tmpdir(), 'ebb-t-ops-'));
let ebb: Ebb;
let agent: Agent;
let vmId: VmId;
let diskId: DiskId;
let one: Moment;
let two: Moment;
let hashes: { readonly one: string; readonly two: string };

const hash = async (guest: Agent): Promise<string> =>
  (await guest.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' })).units ?? '';
const acked = async (): Promise<number> => Number((await agent.call('writer-report')).acked);
const hashOf = (of: VmId, disk: DiskId, moment: Moment): Promise<string> =>
  ebb.hashPoint(of, disk, moment.points[0]?.pointId as PointId, SPAN);
const momentNamed = async (of: VmId, name: string): Promise<Moment> => {
  const { moments } = await ebb.call('timeline.get', { vmId: of });
  const found = moments.find(moment => moment.name === name);
  if (found === undefined) throw new Error(`no point ${name}`);
  return found;
};

async function hashFile(path: string): Promise<string> {
  const units = new UnitsHash();
  for await (const piece of createReadStream(path, { end: SPAN - 1 })) units.update(piece as Buffer);
  return units.digest();
}

/** The guest wrote and was answered meanwhile. */
async function whileItWrites<T>(work: () => Promise<T>): Promise<T> {
  const before = await acked();
  const answer = await work();
  await waitFor('the writer to go on', async () => (await acked()) > before || null);
  return answer;
}
async function finished(started: Promise<{ readonly taskId: string }>): Promise<void> {
  expect((await ebb.done((await started).taskId)).state).toBe('done');
}

beforeAll(async () => {
  ebb = await startFromFixtures();
  ({ vmId, diskId } = await ebb.vmNamed('history'));
  agent = await ebb.startVm(vmId);
  await agent.call('write', { dev: DEV, ...TRIMMED, seed: 3 });
  await agent.call('write', { dev: DEV, offset: 0, length: SPAN, seed: 1 });
  await agent.call('writer-start', WRITER);
  const first = await hash(agent);
  one = await ebb.call('moment.take', { vmId, name: 'one', note: '' });
  await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes: 8 * MIB, seed: 2 });
  hashes = { one: first, two: await hash(agent) };
  two = await ebb.call('moment.take', { vmId, name: 'two', note: '' });
  await ebb.settled(vmId);
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe('a history while its guest writes', () => {
  it('T4: is compared and checked', async () => {
    const { disks } = await whileItWrites(() =>
      ebb.call('moment.compare', { vmId, fromId: one.id, toId: two.id }),
    );
    // Runs that fell on each other count once.
    expect(disks[0]?.difference.bytes).toBeGreaterThanOrEqual(6 * MIB);
    await whileItWrites(() => finished(ebb.call('vm.verify', { vmId })));
    const { report } = await ebb.call('vm.verify-report', { vmId });
    expect(report).toMatchObject({ state: 'done', damages: [] });
    expect(report?.checkedBytes).toBeGreaterThan(SPAN);
  });

  it('T4: a point is exported, and served to other programs', async () => {
    const path = join(folder, 'one.qcow2');
    await whileItWrites(() =>
      finished(ebb.call('moment.export', { vmId, momentId: one.id, format: 'qcow2', path })),
    );
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, join(folder, 'one.img')]);
    expect(await hashFile(join(folder, 'one.img'))).toBe(hashes.one);
    const socket = join(folder, 'p.sock');
    const child = spawn(process.execPath, [CLI, 'point', 'serve', 'history', 'two', '--socket', socket], {
      env: { ...process.env, EBB_DATA: ebb.paths.dataFolder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise(resolve => child.once('close', resolve));
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const uri = await waitFor('the URI', () => /^(nbd\+unix:.*)\n/.exec(said)?.[1]);
    await whileItWrites(() =>
      run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uri, join(folder, 'two.img')]),
    );
    expect(await hashFile(join(folder, 'two.img'))).toBe(hashes.two);
    child.kill('SIGINT');
    await ended;
    await waitFor('the socket to go', () => !existsSync(socket));
  });

  it('T8, T16: what the guest discarded is given back to this computer', async () => {
    const before = (await momentNamed(vmId, 'two')).allocatedBytes;
    await agent.call('trim', { dev: DEV, ...TRIMMED });
    await ebb.call('moment.take', { vmId, name: 'trimmed', note: '' });
    await ebb.settled(vmId);
    const settled = (await momentNamed(vmId, 'trimmed')).allocatedBytes;
    await whileItWrites(() => finished(ebb.call('vm.compact', { vmId })));
    const compacted = (await momentNamed(vmId, 'trimmed')).allocatedBytes;
    // What the older points still hold is theirs; the newest state takes no room for it.
    expect(settled).toBeLessThan(before - TRIMMED.length / 2);
    expect(compacted).toBeLessThanOrEqual(settled);
    const inMiB = [before, settled, compacted].map(bytes => Math.round(bytes / MIB)).join(' → ');
    console.log(`the newest state, discarded, settled, compacted: ${inMiB} MiB`);
    expect(await hashOf(vmId, diskId, one)).toBe(hashes.one);
    expect(await hashOf(vmId, diskId, two)).toBe(hashes.two);
  });
});

describe('another VM made of it', () => {
  let copy: VmId;
  let copyDisk: DiskId;
  let copied: Agent;

  it('T1, T4: is a clone in full, while the first one writes', async () => {
    const made = await whileItWrites(async () => {
      const answer = await ebb.call('vm.clone', { vmId, momentId: one.id, name: 'copy' });
      await finished(Promise.resolve(answer));
      return answer;
    });
    copy = made.vmId;
    copyDisk = (await ebb.vmNamed('copy')).diskId;
    // T17: 7-Zip follows the names in the files, which it may do at rest only.
    await ebb.settled(copy);
    expect(await hashOf(copy, copyDisk, await momentNamed(copy, 'Cloned'))).toBe(hashes.one);
  });

  it('T2, T4: whose guest writes too takes an update of the first, goes to it, and has it turned into its root', async () => {
    const update = join(folder, 'update.vhd');
    await whileItWrites(() =>
      finished(ebb.call('moment.export-delta', { vmId, fromId: one.id, toId: two.id, path: update })),
    );
    copied = await ebb.startVm(copy);
    await copied.call('writer-start', WRITER);
    const { file } = await ebb.call('file.register', { path: update });
    await finished(ebb.call('moment.import-delta', { vmId: copy, file, name: 'update' }));
    expect(Number((await copied.call('writer-report')).acked)).toBeGreaterThan(0);
    await copied.call('writer-stop');
    expect((await copied.call('writer-verify')).bad).toBe('0');
    const brought = await momentNamed(copy, 'update');
    const momentId: MomentId = brought.id;
    await finished(ebb.call('moment.go-back', { vmId: copy, momentId, ifRunning: 'force' }));
    copied = await ebb.agent(copy);
    expect(await hash(copied)).toBe(hashes.two);
    await ebb.settled(copy);
    expect(await hash(copied)).toBe(hashes.two);
    expect((await momentNamed(copy, 'update')).points[0]?.form).toBe('root');
    expect(await hashOf(copy, copyDisk, await momentNamed(copy, 'Cloned'))).toBe(hashes.one);
  });

  it('T4: and the first one has lost nothing', async () => {
    await agent.call('writer-stop');
    expect((await agent.call('writer-verify')).bad).toBe('0');
    expect(await hash(agent)).toBe(hashes.two);
    expect(await hashOf(vmId, diskId, one)).toBe(hashes.one);
    expect(await hashOf(vmId, diskId, two)).toBe(hashes.two);
  });
});
