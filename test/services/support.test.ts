// `ebb support bundle` over the real processes: secrets that people and programs put into Ebb are looked for in every byte of it.
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Ebb } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const CLI = new URL('../../electron/shells/cli/main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'ebb-t-bundle-'));
const SECRETS = {
  vm: 'Projekt Geheim',
  before: 'Scheidung',
  point: 'Kündigung Q3',
  note: 'nach dem Gespräch mit Müller',
  gone: 'weg damit',
  path: 'Mein Ordner, privat',
  token: 'k3J9vQ0sT1uW5xY7zA2bC4dE6fG8hI0j',
  mail: 'ann.mueller@example.org',
  address: '192.168.17.4',
};
let ebb: Ebb;

const cli = (...words: string[]): Promise<{ exit: number; out: string; err: string }> =>
  new Promise(resolve => {
    const env = { ...process.env, EBB_DATA: ebb.paths.dataFolder };
    const child = execFile(process.execPath, [CLI, ...words], { env, cwd: folder }, (cause, out, err) =>
      resolve({ exit: cause === null ? 0 : Number(cause.code), out, err }),
    );
    child.stdin?.end();
  });

beforeAll(async () => {
  ebb = await Ebb.start();
  const { vmId } = await ebb.createSample(SECRETS.before);
  await ebb.call('vm.rename', { vmId, name: SECRETS.vm });
  const point = await ebb.call('moment.take', { vmId, name: SECRETS.point, note: SECRETS.note });
  const gone = await ebb.call('moment.take', { vmId, name: SECRETS.gone, note: '' });
  await ebb.call('moment.delete', { vmId, momentId: gone.id });
  await ebb.call('trash.purge', { vmId });
  const path = join(folder, SECRETS.path, 'x.img');
  const asked = ebb.call('moment.export', { vmId, momentId: point.id, format: 'raw', path });
  await asked.then(({ taskId }) => ebb.done(taskId)).catch(() => undefined);
  await ebb.call('memory.set-range', { vmId, minKib: 131_072, maxKib: 300_000 });
  const { token, mail, address } = SECRETS;
  appendFileSync(
    ebb.paths.controlLog,
    `opening ${path} failed (EACCES)\n${JSON.stringify({
      at: '2026-01-01T00:00:00.000Z',
      level: 'error',
      part: 'control',
      pid: 1,
      text: `${SECRETS.vm} of ${mail} at ${address}: http://127.0.0.1:1/#token=${token} and ${token}\n at x`,
    })}\n`,
  );
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

it('writes nothing before it has said what, and was told to', async () => {
  const { exit, err } = await cli('support', 'bundle', '--to', 'no.tar.gz');
  expect(exit).toBe(2);
  for (const name of ['vms.json', 'audit.json', 'logs/control.log']) expect(err).toContain(name);
  expect(existsSync(join(folder, 'no.tar.gz'))).toBe(false);
});

it('holds what helps, and none of the secrets', async () => {
  const { exit, out, err } = await cli('support', 'bundle', '--yes', '--to', 'b.tar.gz');
  expect(exit, err).toBe(0);
  expect(out).toContain('b.tar.gz');
  const file = join(folder, 'b.tar.gz');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = gunzipSync(readFileSync(file)).toString('utf8');
  for (const [what, secret] of Object.entries(SECRETS))
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
      expect(text.includes(form), `${what}: ${form}`).toBe(false);
  for (const word of ['Geheim', 'Scheidung', 'Kündigung', 'Gespräch', 'privat', ebb.paths.dataFolder])
    expect(text.includes(word), word).toBe(false);
  for (const kept of ['memory.set-range', '"maxKib": 300000', 'Acceleration', 'serving', '<vm-1>'])
    expect(text.toLowerCase(), kept).toContain(kept.toLowerCase());
  expect((await cli('support', 'bundle', '--yes', '--to', 'b.tar.gz')).exit).not.toBe(0);
});
