// Journey C3 of the product's findings, walked as IT walks it: limits on a laptop, and proof that they hold. Where it asks for a vault
// on another machine (its step 10), Ebb has none: that is said, not tested. What the window shows of it: test/e2e/managed.test.ts.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import { ManagedEbb } from '../support/managed-ebb.ts';
import type { Settings } from '../support/policies.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const GIB = 2 ** 20;
const LAB: Settings = {
  'memory.host.reserve': { min: '256MiB' },
  'memory.vm.max': { max: '192MiB', reason: 'Programs of this laptop come first' },
  'history.everyMinutes': { max: 240 },
  'network.modes': { allowed: ['none'] },
  'app.updates': { value: false },
};
const MAX = 'memory.vm.max';
let managed: ManagedEbb;
let dev: VmId;
let big: VmId;
const maxMib = async (vmId: VmId): Promise<number> =>
  (await managed.ebb.call('memory.show', { vmId })).maxKib / 1024;

beforeAll(async () => {
  managed = await ManagedEbb.start();
  ({ vmId: dev } = await managed.ebb.createSample('dev', { minMib: 64, maxMib: 128, diskMib: 16 }));
  ({ vmId: big } = await managed.ebb.createSample('big', { minMib: 64, maxMib: 256, diskMib: 16 }));
});
afterAll(() => managed?.dispose());

it('1, 5: the file is in force in the service that runs, a VM beyond it is held, not killed, and keeps its own value', async () => {
  const pid = managed.ebb.controlPid();
  await managed.apply(LAB);
  expect(managed.ebb.controlPid()).toBe(pid);
  expect([await maxMib(dev), await maxMib(big)]).toEqual([128, 192]);
  expect((await managed.ebb.call('vm.get', { vmId: big })).spec.maxKib).toBe(256 * 1024);
  expect((await managed.ebb.call('memory.host', {})).reserveKib).toBeGreaterThanOrEqual(0.25 * GIB);
  const forbidden = { mayLook: false, mayInstall: false, waitsFor: [] };
  expect(await managed.ebb.call('app.updates', {})).toEqual(forbidden);
});

it('2: the window is told that it is locked, by whom and why', async () => {
  const { organization, rows } = await managed.ebb.call('policy.show', {});
  const row = rows.find(({ key }) => key === MAX);
  expect(organization).toBe('Lab IT');
  expect(row).toMatchObject({ isManaged: true, max: 192 * 1024, organization: 'Lab IT' });
  expect(row?.reason).toContain('come first');
});

it('3: the command line ends with 77 and names the limit, the file and its line; the audit has it', async () => {
  const before = (await managed.ebb.call('audit.list', { limit: 1 })).head.seq;
  const { exit, err } = await managed.cli('mem', 'set', 'dev', '--max', '256M');
  expect(exit).toBe(77);
  expect(err).toMatch(/memory\.vm\.max: 256 MiB .*192 MiB .*50-lab\.json:\d+\)/);
  // One record: nothing was begun.
  expect((await managed.ebb.call('audit.list', { limit: 5, outcome: 'denied' })).entries[0]).toMatchObject({
    seq: before + 1,
    action: 'memory.set-range',
    code: 'policy.denied',
    vmName: 'dev',
    to: { maxKib: 256 * 1024 },
  });
});

it('4: settings edited by hand are held too, through a restart', async () => {
  await managed.restart(() => {
    const db = new Database(join(managed.folder, 'catalog.db'));
    const { body } = db.prepare('SELECT body FROM vm WHERE id = ?').get(dev) as { body: string };
    db.prepare('UPDATE vm SET body = ? WHERE id = ?').run(
      JSON.stringify({ ...JSON.parse(body), maxKib: 8 * GIB }),
      dev,
    );
    db.close();
  });
  expect(await maxMib(dev)).toBe(192);
});

it('6, 7: a file that is broken, or that others can write, leaves what it said before in force, and says where it is wrong', async () => {
  const whole = readFileSync(managed.path(), 'utf8');
  managed.write(whole.trimEnd().slice(0, -1));
  const broken = await managed.reported('the file to be found broken', ({ files }) =>
    files.some(({ path, problems }) => path === managed.path() && problems.length > 0),
  );
  const file = broken.files.find(({ path }) => path === managed.path());
  expect(file).toMatchObject({ state: 'last-good' });
  expect(file?.problems[0]?.line).toBeGreaterThan(0);
  expect(await maxMib(big)).toBe(192);
  const { entries } = await managed.ebb.call('audit.list', { limit: 5, action: 'policy.loaded' });
  expect(entries[0]?.to).toMatchObject({ files: expect.stringContaining('last-good') });
  managed.write(whole);
  await managed.reported('it to be whole', ({ files }) => files.every(({ state }) => state === 'in-force'));
  chmodSync(managed.path(), 0o666);
  await managed.reported('it to be refused', ({ files }) =>
    files.some(({ problems }) => problems.some(({ what }) => what.includes('written by others'))),
  );
  expect(await maxMib(big)).toBe(192);
  chmodSync(managed.path(), 0o644);
  await managed.reported('it to be trusted', ({ files }) => files.every(({ state }) => state === 'in-force'));
});

it('8: a key is explained: what is in force, who won, who lost', async () => {
  const { out } = await managed.cli('policy', 'explain', MAX, '--json');
  expect(JSON.parse(out)).toMatchObject({
    key: MAX,
    max: 192 * 1024,
    isManaged: true,
    said: expect.arrayContaining([expect.objectContaining({ by: managed.path(), effect: 'binds' })]),
  });
});

it('9: the audit is exported and proved whole elsewhere; a byte that was flipped is named', async () => {
  const { out } = await managed.cli('audit', 'export', '--since', '7d');
  const copy = join(managed.folder, 'copy.jsonl');
  writeFileSync(copy, out);
  expect((await managed.cli('audit', 'verify', copy)).exit).toBe(0);
  const lines = out.trimEnd().split('\n');
  const at = lines.findIndex(line => line.includes('"policy.denied"'));
  const { seq } = JSON.parse(lines[at] ?? '{}');
  lines[at] = (lines[at] ?? '').replace('"policy.denied"', '"policy.denieD"');
  writeFileSync(copy, `${lines.join('\n')}\n`);
  const said = await managed.cli('audit', 'verify', copy);
  expect(said.exit).toBe(8);
  expect(said.out).toContain(`Chain broken at record ${seq}`);
});

it('the limits go, and what people had set is there again', async () => {
  await managed.lift();
  expect(await maxMib(big)).toBe(256);
  expect(await managed.ebb.call('app.updates', {})).toMatchObject({ mayLook: true });
});
