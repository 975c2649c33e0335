// A lab machine: `ebb serve` over the real services, people with tokens of their own, and what ends when one is revoked. No guest runs.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { ownUid } from '../../electron/platform/policy-files.ts';
import { webSocketChannel } from '../../electron/transport/websocket.ts';
import type { VmId } from '../../shared/ids.ts';
import type { Role } from '../../shared/roles.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import { waitFor } from '../support/ebb.ts';
import { deniedKey, ManagedEbb } from '../support/managed-ebb.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
const HEADLESS = join(import.meta.dirname, '../../electron/shells/headless/main.ts');
const QUIET = '--disable-warning=ExperimentalWarning';
let managed: ManagedEbb;
const serving: Serving[] = [];

interface Serving {
  readonly child: ChildProcess;
  readonly origin: string;
  said(): string;
  ended(): Promise<number | null>;
}

/** What `ebb serve` runs in its place. */
const serve = (...words: string[]): Promise<Serving> => begin(HEADLESS, '--data', managed.folder, ...words);
const ebbServe = (...words: string[]): Promise<Serving> => begin(CLI, 'serve', ...words);

async function begin(...words: string[]): Promise<Serving> {
  const env = { ...process.env, EBB_DATA: managed.folder };
  const child = spawn(process.execPath, [QUIET, ...words], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const exit = new Promise<number | null>(resolve => child.once('close', resolve));
  let isOver = false;
  void exit.then(() => {
    isOver = true;
  });
  const url = await waitFor('its address', () => /https?:\/\/\S+/.exec(said)?.[0] ?? (isOver && said));
  const made = {
    child,
    origin: url.startsWith('http') ? `${new URL(url).protocol}//127.0.0.1:${new URL(url).port}` : '',
    said: () => said,
    ended: () => exit,
  };
  serving.push(made);
  return made;
}

interface Heard {
  readonly status: number;
  readonly cookie: string;
}
const INSECURE = { rejectUnauthorized: false };

function post(origin: string, path: string, body: string, headers: Record<string, string> = {}) {
  const url = new URL(path, origin);
  const options = { method: 'POST', headers: { origin, ...headers }, ...INSECURE };
  return new Promise<Heard>((resolve, reject) => {
    const heard = (answer: IncomingMessage): void => {
      answer.resume();
      answer.on('end', () => {
        const cookie = answer.headers['set-cookie']?.[0] ?? '';
        resolve({ status: answer.statusCode ?? 0, cookie });
      });
    };
    const call =
      url.protocol === 'https:' ? secureRequest(url, options, heard) : request(url, options, heard);
    call.on('error', reject);
    call.end(body);
  });
}

async function signIn(origin: string, token: string): Promise<string> {
  const { status, cookie } = await post(origin, '/session', JSON.stringify({ token }));
  expect(status).toBe(204);
  return cookie.split(';')[0] ?? '';
}

async function page(origin: string, cookie: string): Promise<Client<Contract>> {
  const headers = { origin, cookie };
  const socket = new WsClient(`${origin.replace('http', 'ws')}/rpc`, { headers, ...INSECURE });
  // At once: what control says first comes with the answer.
  const client = await new Promise<Client<Contract>>((resolve, reject) => {
    socket.once('open', () => resolve(connectClient(contract, webSocketChannel(socket))));
    socket.once('error', reject);
  });
  await client.ready;
  return client;
}

const token = async (name: string, role: Role): Promise<string> =>
  (await managed.ebb.call('headless.create-token', { name, role })).secret;

beforeAll(async () => {
  managed = await ManagedEbb.start();
});
afterEach(async () => {
  for (const { child, ended } of serving.splice(0)) {
    child.kill('SIGTERM');
    await ended();
  }
});
afterAll(() => managed?.dispose());

it('people come in with tokens of their own, are named in the audit, and are out at once when theirs is revoked', async () => {
  const { vmId } = await managed.ebb.createSample('dev', { minMib: 64, maxMib: 128, diskMib: 16 });
  const { origin } = await ebbServe();
  // As somebody at the computer makes it.
  const made = await managed.cli('token', 'create', 'ana', '--role', 'administer');
  expect([made.exit, made.err]).toEqual([0, '']);
  const secrets = { ana: made.out.trim(), bo: await token('bo', 'view') };
  const cookies = { ana: await signIn(origin, secrets.ana), bo: await signIn(origin, secrets.bo) };
  const [ana, bo] = [await page(origin, cookies.ana), await page(origin, cookies.bo)];
  expect(await ana.call('app.info', {})).toMatchObject({ role: 'administer', user: 'ana', isSignedIn: true });
  expect(await bo.call('app.info', {})).toMatchObject({ role: 'view', user: 'bo' });

  await ana.call('vm.rename', { vmId, name: 'ours' });
  await expect(bo.call('vm.rename', { vmId, name: 'mine' })).rejects.toThrow('rpc.denied');
  const { entries } = await managed.ebb.call('audit.list', { limit: 2, action: 'vm.rename' });
  expect(entries).toMatchObject([
    { by: 'bo', outcome: 'denied' },
    { by: 'ana', outcome: 'done' },
  ]);
  expect((await managed.cli('session', 'list')).out).toMatch(/ana +administer +127\.0\.0\.1 .*here/);
  // A sign-in cannot leave others behind.
  await expect(ana.call('headless.create-token', { name: 'more', role: 'view' })).rejects.toThrow(
    'rpc.denied',
  );

  const gone = new Promise<void>(resolve => ana.onClose(resolve));
  const uploads = join(managed.folder, 'uploads');
  const half = request(`${origin}/upload`, {
    method: 'POST',
    headers: { origin, cookie: cookies.ana, 'content-length': '9000000' },
  });
  const answered = new Promise<number>((resolve, reject) => {
    half.once('response', answer => resolve(answer.statusCode ?? 0));
    half.once('error', reject);
  });
  half.write(Buffer.alloc(100_000));
  await waitFor('it to arrive', () => readdirSync(uploads).length === 1);
  const { out } = await managed.cli('token', 'revoke', 'ana');
  expect(out).toBe('"ana" is revoked; 1 session ended with it.\n');
  await gone;
  expect(await answered).toBe(401);
  half.destroy();
  await waitFor('what had arrived to go', () => readdirSync(uploads).length === 0);
  await expect(page(origin, cookies.ana)).rejects.toThrow('401');
  expect((await post(origin, '/session', JSON.stringify({ token: secrets.ana }))).status).toBe(403);
  expect(await bo.call('vm.list', {})).toMatchObject({ vms: [{ spec: { name: 'ours' } }] });

  const { sessions } = await managed.ebb.call('headless.sessions', {});
  const id = sessions.find(({ user }) => user === 'bo')?.id.slice(0, 8) ?? '';
  expect((await managed.cli('session', 'end', id)).out).toBe('Signed out.\n');
  await expect(page(origin, cookies.bo)).rejects.toThrow('401');
  bo.close();
});

it('what is exported from another computer is fetched to it: by whoever may, once, where a policy allows it', async () => {
  const { origin } = await serve('--port', '0');
  const cookies = {
    di: await signIn(origin, await token('di', 'administer')),
    ed: await signIn(origin, await token('ed', 'administer')),
    flo: await signIn(origin, await token('flo', 'operate')),
  };
  const [di, flo] = [await page(origin, cookies.di), await page(origin, cookies.flo)];
  const { vms } = await di.call('vm.list', {});
  const vmId = vms[0]?.spec.id as VmId;
  const { id: momentId } = await di.call('moment.take', { vmId, name: 'to take home', note: '' });
  const { taskId, path } = await di.call('moment.export', { vmId, momentId, format: 'qcow2' });
  const task = await managed.ebb.done(taskId);
  expect(task.fileName).toBe(basename(path));
  await expect(flo.call('moment.download', { taskId })).rejects.toThrow('rpc.denied');
  const { ticket } = await di.call('moment.download', { taskId });
  const fetched = async (cookie: string): Promise<number | string> => {
    const answer = await fetch(`${origin}/download?ticket=${ticket}`, { headers: { cookie } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return answer.status === 200 ? createHash('sha256').update(bytes).digest('hex') : answer.status;
  };
  expect(await fetched(cookies.flo)).toBe(403);
  expect(await fetched(cookies.ed)).toBe(404);
  expect(await fetched(cookies.di)).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  expect(await fetched(cookies.di)).toBe(404);
  const { entries } = await managed.ebb.call('audit.list', { limit: 2, action: 'moment.download' });
  expect(entries).toMatchObject([
    { by: 'di', outcome: 'done', vmId, to: { file: basename(path) } },
    { by: 'flo', outcome: 'denied', code: 'rpc.denied' },
  ]);
  const late = await di.call('moment.download', { taskId });
  await managed.apply({ 'export.downloads': { value: false } });
  expect(
    (await fetch(`${origin}/download?ticket=${late.ticket}`, { headers: { cookie: cookies.di } })).status,
  ).toBe(403);
  // The gateway asks for it; who it is for is in the record all the same.
  const [denied] = (await managed.ebb.call('audit.list', { limit: 1 })).entries;
  expect(denied).toMatchObject({
    action: 'moment.download',
    via: 'browser',
    by: 'di',
    vmId,
    vmName: 'ours',
    outcome: 'denied',
    code: 'policy.denied',
    to: { file: basename(path) },
  });
  expect(await deniedKey(di.call('moment.download', { taskId }))).toBe('export.downloads');
  await managed.lift();
  writeFileSync(path, 'another');
  await expect(di.call('moment.download', { taskId })).rejects.toThrow('file.unreadable');
  for (const client of [di, flo]) client.close();
});

it('who is signed in stays so when the gateway is another', async () => {
  const first = await serve('--port', '0');
  const secret = await token('cy', 'operate');
  const cookie = await signIn(first.origin, secret);
  const port = new URL(first.origin).port;
  first.child.kill('SIGTERM');
  expect(await first.ended()).toBe(0);
  const { origin } = await serve('--port', port, '--no-link');
  expect(await (await page(origin, cookie)).call('app.info', {})).toMatchObject({ user: 'cy' });
});

it('encrypts with a certificate of its own, whose fingerprint it says and keeps', async () => {
  const first = await serve('--tls');
  expect(first.said()).toContain('A certificate was made.');
  const fingerprint = /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/m.exec(first.said())?.[0];
  const { token: link } = await managed.ebb.call('headless.link', { role: 'view' });
  const { status, cookie } = await post(first.origin, '/session', JSON.stringify({ token: link }));
  expect(status).toBe(204);
  expect(cookie).toMatch(/^__Host-ebb-session-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Secure$/);
  const client = await page(first.origin, cookie.split(';')[0] ?? '');
  expect(await client.call('app.info', {})).toMatchObject({ role: 'view' });
  client.close();
  const second = await serve('--tls', '--no-link');
  expect(second.said()).toContain(`The certificate's SHA-256 fingerprint`);
  expect(second.said()).toContain(fingerprint);
  expect(second.said()).not.toContain('#token');
});

// Elsewhere the added folder is the person's own, which permits nothing (unit/control/policy/desk.test.ts).
it.runIf(ownUid() === 0)(
  '(as root) listens for other computers where a policy allows it, encrypted, as long as it does; never else',
  async () => {
    const refused = await ebbServe('--host', '0.0.0.0');
    expect([await refused.ended(), refused.said()]).toEqual([
      77,
      expect.stringContaining('headless.network'),
    ]);
    expect(refused.said()).toContain('/etc/ebb/policy/managed');

    await managed.apply({ 'headless.network': { value: true } });
    const allowed = await serve('--host', '0.0.0.0', '--name', 'lab-7.example.edu');
    expect(allowed.said()).toMatch(/https:\/\/lab-7\.example\.edu:\d+\/#token=/);
    // Under a name that is not ours it is not ours; under ours it is.
    const rebound = await post(allowed.origin, '/session', '{}', {
      host: 'evil.example',
      origin: 'https://evil.example',
    });
    expect(rebound.status).toBe(403);
    const secret = await token('dee', 'view');
    const client = await page(allowed.origin, await signIn(allowed.origin, secret));
    client.close();
    await managed.apply({ 'headless.network': { value: false } });
    expect(await allowed.ended()).toBe(77);
    expect(allowed.said()).toContain('headless.network: it is not allowed');
    await expect(
      managed.ebb.call('headless.sign-in', { token: secret, address: '192.0.2.7' }),
    ).rejects.toMatchObject({ body: { code: 'policy.denied' } });
    await managed.lift();
    expect(
      (await managed.ebb.call('audit.list', { limit: 9, action: 'headless.listen' })).entries,
    ).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ outcome: 'denied', to: { address: '0.0.0.0', isEncrypted: true } }),
      ]),
    );
  },
);

it('links that nobody used are listed and revoked like tokens, and the audit says which', async () => {
  const { id, token: link } = await managed.ebb.call('headless.link', { role: 'operate' });
  const { out } = await managed.cli('token', 'list');
  expect(out).toMatch(/^cy +operate/m);
  expect(out).toMatch(new RegExp(`^\\(link ${id.slice(0, 8)}\\) +operate`, 'm'));
  const revoked = await managed.cli('token', 'revoke', id.slice(0, 8));
  expect([revoked.exit, revoked.out]).toEqual([0, 'The link is revoked; nobody signed in with it.\n']);
  const address = '127.0.0.1';
  await expect(managed.ebb.call('headless.sign-in', { token: link, address })).rejects.toThrow('rpc.denied');
  const action = 'headless.revoke-token';
  expect((await managed.ebb.call('audit.list', { limit: 1, action })).entries).toMatchObject([
    { outcome: 'done', to: { link: id, role: 'operate' } },
  ]);
  expect((await managed.ebb.call('audit.list', { limit: 1, action: 'headless.link' })).entries).toMatchObject(
    [{ outcome: 'done', to: { link: id, role: 'operate' } }],
  );
  const used = await managed.ebb.call('headless.link', { role: 'view' });
  await managed.ebb.call('headless.sign-in', { token: used.token, address });
  expect((await managed.ebb.call('audit.list', { limit: 1 })).entries).toMatchObject([
    { action: 'headless.sign-in', outcome: 'done', to: { link: used.id, role: 'view' } },
  ]);
  // By now it is known to nobody.
  expect((await managed.cli('token', 'revoke', id.slice(0, 8))).exit).toBe(3);
});

it('prints the unit that keeps it, without a secret', async () => {
  const { exit, out } = await managed.cli('serve', '--unit', '--port', '8443', '--tls');
  expect(exit).toBe(0);
  expect(out).toMatch(
    /^ExecStart=".*node.*" ".*headless\/main\.ts" .*"--port" "8443".*"--tls" "--no-link"$/m,
  );
});
