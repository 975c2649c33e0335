// A point for other programs while Ebb has it: served read-only by NBD as long as the command runs, or its bytes on
// standard output; and every format an export has comes back bit by bit. No guest runs.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { ExportFormat } from '../../shared/timeline.ts';
import type { DiskFormat } from '../../shared/vm.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { randomBytes } from '../support/seeded.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;
const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const folder = mkdtempSync(join(tmpdir(), 'ebb-srv-'));
const at = (name: string): string => join(folder, name);

let ebb: Ebb;
let vmId: VmId;
const content = randomBytes(17 * MIB, 12);
content.fill(0, 4 * MIB, 9 * MIB);
let names = 0;

async function create(path: string, format: DiskFormat): Promise<VmId> {
  const { file } = await ebb.call('file.register', { path });
  const made = await ebb.call('vm.create', {
    name: names++ === 0 ? 'served' : `served ${names}`,
    os: 'other',
    cpus: 1,
    minKib: 128 * 1024,
    maxKib: 256 * 1024,
    source: { kind: 'disk', file, format },
  });
  await ebb.done(made.taskId);
  return made.vmId;
}
const momentOf = async (id: VmId): Promise<MomentId> =>
  (await ebb.call('timeline.get', { vmId: id })).moments[0]?.id as MomentId;

beforeAll(async () => {
  ebb = await Ebb.start();
  writeFileSync(at('source.img'), content);
  vmId = await create(at('source.img'), 'raw');
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const cli = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, EBB_DATA: ebb.paths.dataFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null
    ? new Promise(resolve => child.once('close', resolve))
    : Promise.resolve(child.exitCode);

async function readAll(uri: string): Promise<Buffer> {
  const raw = at(`read-${++names}.img`);
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uri, raw]);
  const { stdout } = await run('cat', [raw], { encoding: 'buffer', maxBuffer: 64 * MIB });
  rmSync(raw);
  return stdout;
}
function expectContent(found: Buffer): void {
  expect(sha(found.subarray(0, content.length))).toBe(sha(content));
  expect(found.subarray(content.length).every(byte => byte === 0)).toBe(true);
}

describe('ebb point serve', () => {
  it('T8: several read what the point holds, none may write, and it is not purged until the command ends', async () => {
    const child = cli('point', 'serve', 'served', '@-1', '--socket', at('p.sock'));
    let said = '';
    child.stdout?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const uri = await waitFor('the URI', () => /^(nbd\+unix:.*)\n/.exec(said)?.[1]);
    expect(uri).toContain(at('p.sock'));
    for (const found of await Promise.all([readAll(uri), readAll(uri), readAll(uri)])) expectContent(found);
    const { stdout: info } = await run('nbdinfo', ['--json', uri]);
    expect(JSON.parse(info).exports[0].is_read_only).toBe(true);
    const written = spawnSync('qemu-io', ['-f', 'raw', '-c', 'write 0 4096', uri], { encoding: 'utf8' });
    expect(written.stdout + written.stderr).toMatch(/read-only|permitted|permission/i);

    const momentId = await momentOf(vmId);
    await ebb.call('moment.delete', { vmId, momentId });
    await expect(ebb.call('trash.purge', { vmId, momentId })).rejects.toMatchObject({
      body: { code: 'disk.in-use' },
    });
    await ebb.call('moment.restore', { vmId, momentId });
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    await waitFor('the socket to go', () => !existsSync(at('p.sock')));
  });

  it('ends with its client, however that ends', async () => {
    const child = cli('point', 'serve', 'served', '@-1', '--socket', at('k.sock'));
    await waitFor('the socket', () => existsSync(at('k.sock')));
    child.kill('SIGKILL');
    await ended(child);
    await waitFor('the socket to go', () => !existsSync(at('k.sock')));
  });

  it.each([
    ['storage', "Ebb's storage ended", () => ebb.storagePid()],
    ['control', 'the Ebb service ended', () => ebb.controlPid()],
  ])('where %s ends, it says so and ends too', async (which, words, pid) => {
    const path = at(`${which}.sock`);
    const child = cli('point', 'serve', 'served', '@-1', '--socket', path);
    let said = '';
    child.stderr?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    await waitFor('it to serve', () => said.includes('until interrupted'));
    const control = ebb.controlPid();
    process.kill(await pid(), 'SIGKILL');
    expect(await ended(child)).toBe(1);
    expect(said).toContain(`"Imported" is no longer served: ${words}. The point is as it was.`);
    if (which === 'control') await ebb.rejoin(control);
  });

  it('listens over nothing of anybody', async () => {
    writeFileSync(at('mine'), 'mine');
    const child = cli('point', 'serve', 'served', '@-1', '--socket', at('mine'));
    expect(await ended(child)).not.toBe(0);
    const { stdout } = await run('cat', [at('mine')]);
    expect(stdout).toBe('mine');
  });
});

describe('ebb point export', () => {
  it('--format raw --to - gives every byte on standard output', async () => {
    const child = cli('point', 'export', 'served', '@-1', '--format', 'raw', '--to', '-');
    const pieces: Buffer[] = [];
    child.stdout?.on('data', (piece: Buffer) => pieces.push(piece));
    expect(await ended(child)).toBe(0);
    const found = Buffer.concat(pieces);
    expectContent(found);
    expect(found.length).toBe((await ebb.call('timeline.get', { vmId })).disks[0]?.virtualBytes);
  });

  it.each([
    ['vhd', 'vhd'],
    ['vhd-fixed', 'vhd'],
    ['vhdx', 'vhdx'],
    ['qcow2', 'qcow2'],
    ['vmdk', 'vmdk'],
    ['raw', 'raw'],
  ] as const satisfies readonly (readonly [ExportFormat, DiskFormat])[])(
    'T4: what was written as %s comes back bit by bit, as %s',
    async (format, back) => {
      const path = at(`out.${format}`);
      const momentId = await momentOf(vmId);
      const { taskId } = await ebb.call('moment.export', { vmId, momentId, format, path });
      await ebb.done(taskId);
      const again = await create(path, back);
      const served = await ebb.call('moment.serve', { vmId: again, momentId: await momentOf(again) });
      expectContent(await readAll(served.uri));
    },
  );
});
