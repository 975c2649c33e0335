// IT policy over real services (C3): each door that leads to a limit is tried, and each is the same door.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { Schedule } from '../../shared/history.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { keyRow, POLICY_KEY_NAMES } from '../../shared/policy/keys.ts';
import type { PolicyReport } from '../../shared/policy/report.ts';
import type { Frame } from '../../shared/rpc/frame.ts';
import type { SetupChange } from '../../shared/vm-setup.ts';
import { channelOf, clientOf, signIn } from '../support/browsers.ts';
import { waitFor } from '../support/ebb.ts';
import { deniedKey, ManagedEbb } from '../support/managed-ebb.ts';
import type { Settings } from '../support/policies.ts';
import { openPage, signInTo } from '../support/web-clients.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 1024;
const RESERVE = 'memory.host.reserve';
const CAP: Settings = { 'memory.vm.max': { max: '128MiB', reason: 'Small laptops' } };

let managed: ManagedEbb;
let vmId: VmId;
let other: VmId;

const createEmpty = async (name: string): Promise<VmId> => {
  const { exit, out, err } = await managed.cli(
    'vm',
    'create',
    name,
    '--empty',
    '--mem-min',
    '64M',
    '--mem-max',
    '256M',
    '--json',
  );
  expect(exit, err).toBe(0);
  return JSON.parse(out).spec.id;
};
const call: ManagedEbb['ebb']['call'] = (...args) => managed.ebb.call(...args);
const setMax = (maxMib: number) => call('memory.set-range', { vmId, minKib: 64 * MIB, maxKib: maxMib * MIB });
const effectiveMax = async (): Promise<number> => (await call('memory.show', { vmId })).maxKib / MIB;
const storedMax = async (): Promise<number> => (await call('vm.get', { vmId })).spec.maxKib / MIB;
const fileOf = ({ files }: PolicyReport) => files.find(({ path }) => path === managed.path());
const catalog = (work: (db: Database.Database) => void): void => {
  const db = new Database(join(managed.folder, 'catalog.db'));
  work(db);
  db.close();
};

beforeAll(async () => {
  managed = await ManagedEbb.start();
  vmId = await createEmpty('one');
  other = await createEmpty('two');
});
afterAll(() => managed?.dispose());

describe('a limit that comes while Ebb runs', () => {
  it('holds at once what is beyond it, without changing it, and lets go of it', async () => {
    await managed.apply(CAP);
    expect([await effectiveMax(), await storedMax()]).toEqual([128, 256]);
    expect((await call('memory.host', {})).capKib).toBe(128 * MIB);
    await managed.lift();
    expect([await effectiveMax(), await storedMax()]).toEqual([256, 256]);
    expect((await call('memory.host', {})).capKib).toBeNull();
  });

  it('is in the audit when it comes, with its files, and when it goes', async () => {
    const loaded = async () => {
      const { entries } = await call('audit.list', { limit: 50 });
      return entries.filter(({ action }) => action === 'policy.loaded').map(({ to }) => to);
    };
    expect((await loaded()).slice(0, 2)).toEqual([
      { files: '', keys: 0, problems: 0 },
      { files: `${managed.path()} (in-force)`, keys: 1, problems: 0 },
    ]);
  });

  it('binds what people set, and what they set comes back', async () => {
    const own = (await call('memory.host', {})).reserveKib + 64 * MIB;
    await call('memory.set-policy', { reserveKib: own });
    await managed.apply({ [RESERVE]: { min: '1536MiB', max: '1536MiB' } });
    expect((await call('memory.host', {})).reserveKib).toBe(1536 * MIB);
    expect(await deniedKey(call('memory.set-policy', { reserveKib: own }))).toBe(RESERVE);
    await managed.lift();
    expect((await call('memory.host', {})).reserveKib).toBe(own);
  });
});

describe('going back with its setup', () => {
  it('restores what the VM was then, within the limit of today, and keeps it where that is not asked for', async () => {
    const configure = (cpus: number) => call('vm.configure', { vmId, change: { cpus } });
    await configure(3);
    expect((await managed.cli('point', 'take', 'one', 'then')).exit).toBe(0);
    await configure(1);
    await setMax(128);
    expect((await managed.cli('point', 'go-back', 'one', 'then')).exit).toBe(0);
    expect((await call('vm.get', { vmId })).spec).toMatchObject({ cpus: 1, maxKib: 128 * MIB });
    await managed.apply({ 'vm.cpus': { max: 2 }, ...CAP });
    expect((await managed.cli('point', 'go-back', 'one', 'then', '--setup')).exit).toBe(0);
    expect((await call('vm.get', { vmId })).spec).toMatchObject({ cpus: 2, maxKib: 128 * MIB });
    await managed.lift();
    expect((await managed.cli('point', 'go-back', 'one', 'then', '--setup')).exit).toBe(0);
    expect((await call('vm.get', { vmId })).spec).toMatchObject({ cpus: 3, maxKib: 256 * MIB });
  });
});

describe('every door', () => {
  beforeAll(() => managed.apply(CAP));
  afterAll(() => managed.lift());

  it('the command line: exit 77, and the line says the key, the limit, the file and its line', async () => {
    const { exit, err } = await managed.cli('mem', 'set', 'one', '--max', '192M');
    expect(exit).toBe(77);
    expect(err).toContain(`memory.vm.max: 192 MiB is more than the limit of 128 MiB (${managed.path()}:6).`);
    expect(err).toContain('Small laptops Set by Lab IT. Ask: it@example.edu');
    for (const words of [
      ['mem', 'try', 'one', '--max', '192M'],
      ['vm', 'create', 'big', '--empty', '--mem-max', '192M'],
    ])
      expect((await managed.cli(...words)).exit, words.join(' ')).toBe(77);
    expect((await managed.cli('--policy', '/tmp', 'mem', 'set', 'one', '--max', '192M')).exit).toBe(2);
    expect(await storedMax()).toBe(256);
  });

  it('a socket, without any client of ours', async () => {
    const answer = await rawRequest(await contractHash(), 'memory.set-range', {
      vmId,
      minKib: 64 * MIB,
      maxKib: 192 * MIB,
    });
    expect(answer).toMatchObject({
      t: 'fault',
      id: 7,
      error: { code: 'policy.denied', data: { key: 'memory.vm.max' } },
    });
  });

  it('an older client is refused before it can ask', async () => {
    const answer = await rawRequest('0000000000000000', 'memory.set-range', {
      vmId,
      minKib: 64 * MIB,
      maxKib: 192 * MIB,
    });
    expect(answer).toMatchObject({ t: 'fault', error: { code: 'rpc.version-mismatch' } });
  });

  it('a page in a browser, by the gateway', async () => {
    const page = await managed.page();
    const asked = page.call('memory.set-range', { vmId, minKib: 64 * MIB, maxKib: 192 * MIB });
    expect(await deniedKey(asked)).toBe('memory.vm.max');
    page.close();
  });

  it('taking back what was changed before the limit', async () => {
    await managed.lift();
    await setMax(192);
    await managed.apply(CAP);
    expect(await deniedKey(call('memory.undo-range', { vmId }))).toBe('memory.vm.max');
    expect(await effectiveMax()).toBe(128);
    await managed.lift();
    await call('memory.undo-range', { vmId });
    await managed.apply(CAP);
  });

  it('a window that is opened again hears of it at once', async () => {
    const page = await managed.page();
    const heard: PolicyReport[] = [];
    page.subscribe('policy', null, payload => void heard.push(payload));
    await waitFor('the policy', () => heard.length > 0);
    expect(heard[0]?.rows.find(({ key }) => key === 'memory.vm.max')).toMatchObject({
      max: 128 * MIB,
      isManaged: true,
    });
    page.close();
  });

  it('a range is left alone where its other end is changed', async () => {
    await call('memory.set-range', { vmId, minKib: 100 * MIB, maxKib: 128 * MIB });
    expect(await storedMax()).toBe(256);
    await call('memory.set-range', { vmId, minKib: 64 * MIB, maxKib: 128 * MIB });
  });

  it('a database and settings edited by hand', async () => {
    await managed.restart(() =>
      catalog(db => {
        const { body } = db
          .prepare<[string], { body: string }>('SELECT body FROM vm WHERE id = ?')
          .get(vmId) ?? { body: '' };
        const spec = { ...JSON.parse(body), maxKib: 4096 * MIB, cpus: 64 };
        db.prepare('UPDATE vm SET body = ? WHERE id = ?').run(JSON.stringify(spec), vmId);
        const settings = JSON.stringify({ capKib: 8192 * MIB, reserveKib: 0 });
        db.prepare("INSERT OR REPLACE INTO setting VALUES ('memory-policy', ?)").run(settings);
      }),
    );
    await managed.apply({ ...CAP, [RESERVE]: { min: '1GiB' } });
    expect([await effectiveMax(), await storedMax()]).toEqual([128, 4096]);
    expect(await call('memory.host', {})).toMatchObject({ capKib: 128 * MIB, reserveKib: 1024 * MIB });
    expect((await call('vm.preview-start', { vmId })).bootKib).toBeLessThanOrEqual(128 * MIB);
  });

  it('what was kept for bad days, edited by hand, is not looked at on good ones', async () => {
    const kept = join(managed.folder, 'policy-last-good.json');
    await managed.apply(CAP);
    await managed.restart(() => {
      expect(JSON.parse(readFileSync(kept, 'utf8'))[managed.path()]).toContain('128MiB');
      writeFileSync(kept, JSON.stringify({ [managed.path()]: '{"policyVersion": 1}' }));
    });
    expect(await effectiveMax()).toBe(128);
  });
});

describe('a file that goes bad', () => {
  beforeAll(() => managed.apply(CAP));
  afterAll(() => managed.lift());

  it('is told with its line, and what it said before stays, through a restart', async () => {
    managed.write('{\n "policyVersion": 1,\n "settings": {\n');
    const report = await managed.reported('it to be refused', found => fileOf(found)?.state === 'last-good');
    expect(fileOf(report)?.problems[0]).toMatchObject({ severity: 'error', line: 4 });
    expect(await effectiveMax()).toBe(128);
    await managed.restart();
    expect(await effectiveMax()).toBe(128);
    expect(fileOf(await call('policy.show', {}))?.state).toBe('last-good');
    const { exit, out } = await managed.cli('policy', 'show');
    expect([exit, out]).toEqual([0, expect.stringContaining('what it said before is in force')]);
  });

  it('and is whole again is in force again', async () => {
    managed.put({ 'memory.vm.max': { max: '144MiB' } });
    await managed.reported('it to be in force', found => fileOf(found)?.state === 'in-force');
    expect(await effectiveMax()).toBe(144);
  });

  it('because others can write it is not trusted, and what it said before stays', async () => {
    managed.put({ 'memory.vm.max': { max: '2GiB' } });
    chmodSync(managed.path(), 0o666);
    const report = await managed.reported('it to be refused', found => fileOf(found)?.state === 'last-good');
    expect(fileOf(report)?.problems[0]?.what).toContain('can be written by others');
    expect(await effectiveMax()).toBe(144);
    chmodSync(managed.path(), 0o644);
  });
});

it('automatic points: every VM has them where IT says so, and what people set counts again afterwards', async () => {
  const shown = async () => (await call('history.show', { vmId })).schedule;
  const own = await shown();
  expect(own.isOn).toBe(false);
  await managed.apply({ 'history.everyMinutes': { max: 60 }, 'history.quota': { max: '1GiB' } });
  expect(await shown()).toMatchObject({ isOn: true, everyMinutes: 60, quotaBytes: 2 ** 30 });
  const set = (change: Partial<Schedule>) =>
    shown().then(schedule => deniedKey(call('history.set', { vmId, schedule: { ...schedule, ...change } })));
  expect(await set({ isOn: false })).toBe('history.everyMinutes');
  expect(await set({ quotaBytes: null })).toBe('history.quota');
  expect(await set({ everyMinutes: 30 })).toBeNull();
  await managed.lift();
  expect(await shown()).toEqual({ ...own, everyMinutes: 30 });
});

describe('counts, rights and places', () => {
  afterAll(() => managed.lift());

  it('starts, VMs in all, deletion, sources and folders', async () => {
    await managed.apply({
      'vm.running': { max: 1 },
      'vm.count': { max: 2 },
      'vm.delete': { value: false },
      'vm.cpus': { max: 2 },
      'network.modes': { allowed: ['isolated'] },
      'network.forwards': { value: false },
      'history.delete': { value: false },
      'vm.sources': { allowed: ['empty', 'iso'] },
      'import.folders': { allowed: ['/srv'] },
    });
    const { taskId } = await call('vm.start', { vmId });
    await managed.ebb.done(taskId);
    // Edited to 64 above.
    const record = JSON.parse(readFileSync(join(managed.folder, 'vms', vmId, 'run.json'), 'utf8'));
    expect(record.argv[record.argv.indexOf('-smp') + 1]).toBe('2');
    const second = call('vm.start', { vmId: other }).then(task => managed.ebb.done(task.taskId));
    expect(await deniedKey(second)).toBe('vm.running');
    expect(await deniedKey(call('vm.delete', { vmId: other }))).toBe('vm.delete');
    const configure = (change: SetupChange) => deniedKey(call('vm.configure', { vmId: other, change }));
    expect(await configure({ cpus: 3 })).toBe('vm.cpus');
    expect(await configure({ network: 'user' })).toBe('network.modes');
    const forward = { protocol: 'tcp', hostPort: 2222, guestPort: 22 } as const;
    expect(await configure({ portForwards: [forward] })).toBe('network.forwards');
    await call('vm.configure', { vmId: other, change: { network: 'isolated', cpus: 1 } });
    const anyPoint = '00000000-0000-4000-8000-000000000009' as MomentId;
    expect(await deniedKey(call('history.clean', { vmId: other, momentIds: [anyPoint] }))).toBe(
      'history.delete',
    );
    const iso = join(managed.folder, 'x.iso');
    writeFileSync(iso, 'not much');
    for (const [words, key] of [
      [['vm', 'create', 'three', '--empty', '--mem-max', '128M'], 'vm.count'],
      [['vm', 'create', 'three', '--sample', '--mem-max', '128M'], 'vm.'],
      [['vm', 'create', 'three', '--iso', iso, '--mem-max', '128M'], 'import.folders'],
    ] as const) {
      const { exit, err } = await managed.cli(...words);
      expect([exit, err]).toEqual([77, expect.stringContaining(key)]);
    }
    await managed.ebb.stopVm(vmId);
  });

  it('browsers are cut off when they may not be here, and locals are not', async () => {
    const session = await signIn(managed.ebb);
    const signedIn = await managed.signedIn();
    const { token } = await call('headless.link', { role: 'administer' });
    const open = { channel: await clientOf(managed.ebb, session), page: await openPage(signedIn) };
    const cut = new Set<string>();
    for (const [name, client] of Object.entries(open)) client.onClose(() => void cut.add(name));
    await managed.apply({ 'headless.access': { value: false } });
    await waitFor('both to be cut off', () => cut.size === 2);
    await expect(openPage(signedIn)).rejects.toThrow('403');
    await expect(signInTo(signedIn.origin, token)).rejects.toThrow('403');
    // Nor does a session come back, as an upload that was under way would.
    const again = await channelOf(managed.ebb, session);
    const said: string[] = [];
    again.onMessage(text => said.push(text));
    await new Promise<void>(resolve => again.onClose(resolve));
    expect(said).toEqual([]);
    expect(await deniedKey(managed.browser())).toBe('headless.access');
    expect((await call('vm.list', {})).vms).toHaveLength(2);
  });
});

it('under the strictest policy there can be, people stop their VMs and rescue their data', async () => {
  await managed.ebb.done((await call('vm.start', { vmId: other })).taskId);
  const strictest = Object.fromEntries(
    POLICY_KEY_NAMES.map(key => {
      const { parts, kind, least = 0, most = 3650, strict } = keyRow(key);
      if (kind === 'flag') return [key, { value: false }];
      if (parts.includes('allowed')) return [key, { allowed: kind === 'choice' ? ['need'] : [] }];
      const amount =
        kind === 'count' ? least : strict === 'more' ? '999GiB' : kind === 'size' ? '1MiB' : '64MiB';
      return [key, strict === 'more' ? { min: kind === 'count' ? most : amount } : { max: amount }];
    }),
  );
  await managed.apply(strictest as Settings);
  expect((await call('memory.host', {})).reserveKib).toBeLessThan((await call('memory.host', {})).totalKib);
  const moment = await call('moment.take', { vmId: other, name: 'saved', note: '' });
  const exported = await call('moment.export', { vmId: other, momentId: moment.id, format: 'vhd' });
  await managed.ebb.done(exported.taskId);
  expect(existsSync(exported.path)).toBe(true);
  await call('vm.pause', { vmId: other });
  await call('vm.resume', { vmId: other });
  await managed.ebb.done((await call('vm.suspend', { vmId: other })).taskId);
  await managed.ebb.stopVm(other, 'force');
  await call('vm.rescue', { vmId: other, replace: true });
  expect(
    await deniedKey(
      call('moment.export', { vmId: other, momentId: moment.id, format: 'vhd', path: '/tmp/x.vhd' }),
    ),
  ).toBe('export.folders');
  expect(await deniedKey(call('moment.export', { vmId: other, momentId: moment.id, format: 'qcow2' }))).toBe(
    'export.formats',
  );
  await managed.lift();
});

const contractHash = async (): Promise<string> => {
  const { contractHash: hash } = await import('../../shared/rpc/hash.ts');
  const { contract } = await import('../../shared/rpc/contract.ts');
  return hash(contract);
};

/** What answers a hello and one request, written by hand. */
async function rawRequest(contract: string, method: string, params: unknown): Promise<Frame> {
  const channel = await connectUnix(managed.ebb.paths.controlSocket);
  const answer = new Promise<Frame>((resolve, reject) => {
    channel.onMessage(text => {
      const frame = JSON.parse(text) as Frame;
      if (frame.t !== 'hello') resolve(frame);
    });
    channel.onClose(() => reject(new Error('hung up without an answer')));
  });
  channel.send(JSON.stringify({ t: 'hello', protocol: 1, contract }));
  channel.send(JSON.stringify({ t: 'request', id: 7, method, params }));
  const frame = await answer;
  channel.close();
  return frame;
}
