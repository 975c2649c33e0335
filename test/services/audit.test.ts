// The audit over the real processes: what a client changes is recorded, survives control's death, is exported, checked by the
// command line with and without the service, and what is done to its files is named.
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AuditHead } from '../../shared/audit.ts';
import type { VmId } from '../../shared/ids.ts';
import { browser } from '../support/browsers.ts';
import { Ebb } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const CLI = new URL('../../electron/shells/cli/main.ts', import.meta.url).pathname;
const MIB = 1024;
let ebb: Ebb;
let vmId: VmId;
let folder: string;

const cli = (...words: string[]): Promise<{ exit: number; out: string; err: string }> =>
  new Promise(resolve => {
    const env = { ...process.env, EBB_DATA: ebb.paths.dataFolder };
    execFile(process.execPath, [CLI, ...words], { env }, (cause, out, err) =>
      resolve({ exit: cause === null ? 0 : Number(cause.code), out, err }),
    );
  });
const newest = async (limit = 1) =>
  (await ebb.call('audit.list', { limit })).entries.map(({ action, outcome }) => `${action} ${outcome}`);
const setMax = (maxMib: number) =>
  ebb.call('memory.set-range', { vmId, minKib: 128 * MIB, maxKib: maxMib * MIB });
const segment = (): string => join(folder, readdirSync(folder).sort().at(-1) ?? '');

beforeAll(async () => {
  ebb = await Ebb.start();
  folder = join(ebb.paths.dataFolder, 'audit');
  ({ vmId } = await ebb.createSample('dev'));
});
afterAll(async () => {
  await ebb?.dispose();
});

it('records a task from its beginning to its end, and a refusal with its reason', async () => {
  expect(await newest()).toEqual(['vm.create done']);
  await setMax(512);
  await expect(setMax(4_000_000)).rejects.toThrow('memory.over-host');
  const { entries } = await ebb.call('audit.list', { limit: 2 });
  expect(entries).toMatchObject([
    { action: 'memory.set-range', outcome: 'refused', code: 'memory.over-host', vmName: 'dev', via: 'local' },
    { outcome: 'done', from: { maxKib: 256 * MIB }, to: { maxKib: 512 * MIB } },
  ]);
});

it('records what a browser is denied', async () => {
  const client = await browser(ebb, 'administer', 'ana');
  const guess = { token: 'guessed', address: '127.0.0.1' };
  await expect(client.call('headless.sign-in', guess)).rejects.toThrow('denied');
  expect(await newest()).toEqual(['headless.sign-in denied']);
  await expect(ebb.call('headless.sign-in', guess)).rejects.toThrow('denied');
  expect((await ebb.call('audit.list', { limit: 1 })).entries).toMatchObject([
    { via: 'browser', action: 'headless.sign-in', outcome: 'denied', to: { address: '127.0.0.1' } },
  ]);
  expect((await cli('audit', 'show', '--action', 'headless.sign-in')).out).toContain('browser: ana');
});

it('names the token by which a browser changed something', async () => {
  const client = await browser(ebb, 'administer', 'bo');
  await client.call('memory.set-range', { vmId, minKib: 128 * MIB, maxKib: 400 * MIB });
  client.close();
  expect((await ebb.call('audit.list', { limit: 1 })).entries).toMatchObject([
    { via: 'browser', by: 'bo', action: 'memory.set-range', outcome: 'done' },
  ]);
  await setMax(512);
  expect((await ebb.call('audit.list', { limit: 1 })).entries[0]).not.toHaveProperty('by');
});

it('what was only counted so far is there after a peaceful end', async () => {
  const guess = { token: 'guessed again', address: '127.0.0.9' };
  for (let n = 0; n < 4; n++) await expect(ebb.call('headless.sign-in', guess)).rejects.toThrow('denied');
  const pid = ebb.controlPid();
  process.kill(pid, 'SIGTERM');
  await ebb.rejoin(pid);
  const { entries } = await ebb.call('audit.list', { limit: 1, action: 'headless.sign-in' });
  expect(entries).toMatchObject([{ outcome: 'denied', code: 'headless.unknown-token' }]);
  expect(entries[0]?.times).toBeGreaterThanOrEqual(4);
});

it('goes on after control was killed, with the chain whole', async () => {
  const { head } = await ebb.call('audit.list', { limit: 1 });
  await ebb.killControl();
  await setMax(300);
  expect(await ebb.call('audit.verify', {})).toMatchObject({ problems: [], last: { seq: head.seq + 2 } });
});

it('is shown, exported and verified by the command line, whole or by its end', async () => {
  const shown = await cli('audit', 'show', 'dev', '--action', 'memory');
  expect(shown.out).toContain('maxKib 524288 → 307200');
  const exported = await cli('audit', 'export');
  expect(exported.exit, exported.err).toBe(0);
  expect(exported.out).toBe(
    readdirSync(folder)
      .sort()
      .map(name => readFileSync(join(folder, name), 'utf8'))
      .join(''),
  );
  const head = /\d+:[0-9a-f]{64}/.exec(exported.err)?.[0] ?? '';
  const verify = (text: string, ...more: string[]) =>
    // No service is started for it: there is no such data folder.
    spawnSync(process.execPath, [CLI, 'audit', 'verify', '-', ...more], {
      input: text,
      env: { ...process.env, EBB_DATA: '/nonexistent' },
      encoding: 'utf8',
    });
  expect(verify(exported.out, '--head', head)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^OK: \d+ records/),
  });
  const lines = exported.out.trimEnd().split('\n');
  const flipped = lines.with(2, (lines[2] ?? '').replace('"dev"', '"Dev"')).join('\n');
  expect(flipped).not.toBe(lines.join('\n'));
  expect(verify(flipped)).toMatchObject({
    status: 8,
    stdout: expect.stringContaining('Chain broken at record 3'),
  });
  const short = lines.slice(0, -1).join('\n');
  expect(verify(short).status).toBe(0);
  expect(verify(short, '--head', head)).toMatchObject({
    status: 8,
    stdout: expect.stringContaining('Chain cut off'),
  });
  expect((await cli('audit', 'verify')).out).toMatch(/^OK: /);
  expect((await cli('audit', 'verify', '--head', head)).exit).toBe(0);
});

it('a link in the place of its file stops changes of limits, writes nothing there, and stops no VM', async () => {
  const real = segment();
  const elsewhere = join(ebb.paths.dataFolder, 'elsewhere');
  writeFileSync(elsewhere, 'mine', { mode: 0o600 });
  renameSync(real, `${real}.away`);
  symlinkSync(elsewhere, real);
  await expect(setMax(310)).rejects.toMatchObject({ body: { code: 'audit.unwritable' } });
  expect((await ebb.call('vm.get', { vmId })).spec.maxKib).toBe(300 * MIB);
  await ebb.call('vm.rename', { vmId, name: 'renamed' });
  expect(readFileSync(elsewhere, 'utf8')).toBe('mine');
  rmSync(real);
  renameSync(`${real}.away`, real);
  await setMax(310);
  expect(await newest(2)).toEqual(['memory.set-range done', 'vm.rename done']);
  expect((await ebb.call('audit.verify', {})).problems).toEqual([]);
});

it('says which records were cut off while it was away', async () => {
  const { head }: { head: AuditHead } = await ebb.call('audit.list', { limit: 1 });
  await ebb.killControl(() => {
    const lines = readFileSync(segment(), 'utf8').trimEnd().split('\n');
    writeFileSync(segment(), `${lines.slice(0, -3).join('\n')}\n`);
  });
  expect((await ebb.call('audit.list', { limit: 1 })).entries).toMatchObject([
    { action: 'audit.damaged', to: { kind: 'truncated', fromSeq: head.seq - 2, toSeq: head.seq } },
  ]);
  const { out, exit } = await cli('audit', 'verify');
  expect([exit, out]).toEqual([
    8,
    expect.stringContaining(`records ${head.seq - 2} to ${head.seq}: removed`),
  ]);
});
