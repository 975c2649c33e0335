// A hostile client at the real gateway and control: whatever it sends is refused and noted, memory stays bounded, and whoever behaves
// is served meanwhile. No guest runs.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { Ebb, waitFor } from '../support/ebb.ts';
import { startGateway } from '../support/gateway.ts';
import {
  closed,
  HELLO,
  openPage,
  openSocket,
  raw,
  rawSocket,
  type SignedIn,
  signInTo,
} from '../support/web-clients.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const MIB = 2 ** 20;
/** A frame is 16 MiB, and may be on its way through two processes in a few forms. */
const GROWTH_BYTES_MAX = 400 * MIB;
let ebb: Ebb;
let gateway: ChildProcess;
let origin: string;
let good: SignedIn;

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
const resident = (): number => residentBytes(gateway.pid ?? 0) + residentBytes(ebb.controlPid());
const link = async (role: 'view' | 'administer' = 'administer'): Promise<string> =>
  (await ebb.call('headless.link', { role })).token;
const logged = (): string => readFileSync(ebb.paths.headlessLog, 'utf8');
const request = (id: number, method: string, params: unknown = {}): string =>
  JSON.stringify({ t: 'request', id, method, params });

/** Somebody who behaves is served, and by the same processes as before. */
async function expectUp(): Promise<void> {
  const page = await openPage(good);
  expect(await page.call('vm.list', {})).toEqual({ vms: [] });
  page.close();
  expect([gateway.exitCode, ebb.controlPid()]).toEqual([null, controlPid]);
}

let controlPid: number;
let before: number;
beforeAll(async () => {
  ebb = await Ebb.start();
  const started = await startGateway(ebb.paths.dataFolder);
  gateway = started.gateway;
  origin = new URL(started.url).origin;
  good = await signInTo(origin, await link());
  controlPid = ebb.controlPid();
  await expectUp();
  before = resident();
});
afterAll(async () => {
  gateway?.kill();
  await ebb?.dispose();
});

describe('malformed', () => {
  it.each([
    ['no HTTP', '\u0000\u0001\u0002\r\n\r\n'],
    ['TLS where there is none', Buffer.from('16030100c8010000c40303', 'hex')],
    ['two lengths', 'POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header with a line break', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(40_000)}`],
    ['a header too long', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(200_000)}\r\n\r\n`],
    [
      'an upgrade to something else',
      'GET /rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
  ])('%s is refused', async (_, bytes) => {
    expect(await raw(origin, bytes)).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
    expect(logged()).toMatch(/refused, (?:what is no request|another host): 127\.0\.0\.1/);
  });

  it.each([
    ['no JSON', 'hello'],
    ['a number', '7'],
    ['another frame', JSON.stringify({ t: 'reply', id: 1, result: {} })],
    ['a frame with more in it', JSON.stringify({ t: 'cancel', id: 1, and: 'more' })],
    ['JSON that never ends', `${'['.repeat(100_000)}`],
    [
      'deep JSON',
      `{"t":"request","id":1,"method":"vm.list","params":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ],
    ['an absurd id', '{"t":"cancel","id":1e400}'],
  ])('a frame that is %s ends its connection, or is refused', async (_, frame) => {
    const socket = await openSocket(good);
    const end = closed(socket);
    socket.send(HELLO);
    socket.send(frame);
    socket.send(request(9, 'app.info'));
    const told = new Promise<string>(resolve =>
      socket.on('message', data => {
        if (String(data).includes('"fault"')) resolve(String(data));
      }),
    );
    const heard = await Promise.race([end, told]);
    if (typeof heard !== 'string') {
      expect(heard.join()).not.toContain('"id":9');
      // The first of a minute; of the others their number comes with the next.
      expect(ebb.log()).toMatch(
        /a browser connection was ended: it sent (?:what is no frame|a frame of ours)/,
      );
    }
    socket.terminate();
  });

  it('bytes where there should be text end their connection, and are in the log', async () => {
    const socket = await openSocket(good);
    const end = closed(socket);
    socket.send(Buffer.from([1, 2, 3]));
    await end;
    expect(logged()).toContain('refused, what is no frame: 127.0.0.1: a binary frame');
  });

  it.each(['__proto__', 'constructor', 'toString', 'vm.list ', 'VM.LIST', ''])(
    'there is no method "%s"',
    async method => {
      const socket = await openSocket(good);
      const answer = new Promise<string>(resolve =>
        socket.on('message', data => {
          if (String(data).includes('"id":1')) resolve(String(data));
        }),
      );
      socket.send(HELLO);
      socket.send(request(1, method));
      expect(await answer).toContain('rpc.unknown-method');
      socket.terminate();
    },
  );
});

describe('huge', () => {
  it('a frame beyond the limit ends its connection', async () => {
    const socket = await openSocket(good);
    const end = closed(socket);
    socket.send(HELLO);
    socket.send('x'.repeat(FRAME_BYTES_MAX + 1));
    await end;
    await expectUp();
  });

  it('a sign-in that is too long is none, and an upload beyond the disk is refused before it begins', async () => {
    const body = JSON.stringify({ token: 'x'.repeat(5 * MIB) });
    const long = await fetch(`${origin}/session`, { method: 'POST', headers: { origin }, body });
    expect(long.status).toBe(403);
    const { host } = new URL(origin);
    const heard = await raw(
      origin,
      `POST /upload HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nCookie: ${good.cookie}\r\nContent-Length: 900000000000000\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 507 /);
  });
});

describe('from elsewhere', () => {
  it.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['another name of ours', { host: 'evil.example' }],
    ['both, as a rebound name has them', { host: 'evil.example', origin: 'http://evil.example' }],
  ])('%s opens no socket and signs nobody in, and is in the log', async (_, headers) => {
    await expect(openSocket(good, headers)).rejects.toThrow('403');
    const { host, origin: own } = { host: new URL(origin).host, origin, ...headers };
    const body = JSON.stringify({ token: await link() });
    const heard = await raw(
      origin,
      `POST /session HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${own}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 403 /);
    expect(heard).not.toMatch(/set-cookie/i);
    expect(logged()).toMatch(/refused, another (host|origin): 127\.0\.0\.1/);
  });

  it('a gateway at another address of this computer says that address, and is that name', async () => {
    const other = await startGateway(ebb.paths.dataFolder, ['--host', '127.0.0.2']);
    expect(new URL(other.url).hostname).toBe('127.0.0.2');
    // Not 403: the name is its own; it only does not know who asks.
    expect((await fetch(new URL('/session', other.url))).status).toBe(401);
    other.gateway.kill();
  });

  it('what was said once is worth nothing the second time', async () => {
    const token = await link();
    const once = await signInTo(origin, token);
    await expect(signInTo(origin, token)).rejects.toThrow('403');
    const page = await openPage(once);
    const gone = new Promise<void>(resolve => page.onClose(resolve));
    await page.call('headless.sign-out', {}).catch(() => undefined);
    await gone;
    await expect(openSocket(once)).rejects.toThrow('401');
  });
});

describe('slow and many', () => {
  it('who says a byte now and then holds no place for it', async () => {
    const { host } = new URL(origin);
    const ours = `Host: ${host}\r\nOrigin: ${origin}\r\n`;
    const starts = [
      'GET / HTTP/1.1\r\nHost: x\r\nA: ',
      `POST /session HTTP/1.1\r\n${ours}Content-Length: 1000\r\n\r\n{`,
      `POST /session HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://evil.example\r\nContent-Length: 1000000\r\n\r\n`,
      `GET / HTTP/1.1\r\n${ours}Content-Length: 1000000\r\n\r\n`,
      `GET /rpc HTTP/1.1\r\n${ours}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    ];
    const held = starts.map(start => {
      const socket = rawSocket(origin, true);
      socket.resume();
      socket.write(start);
      return socket;
    });
    const drip = setInterval(() => {
      for (const socket of held) if (!socket.destroyed) socket.write(' ');
    }, 1000);
    await waitFor('all to be hung up on', () => held.every(({ destroyed }) => destroyed)).finally(() =>
      clearInterval(drip),
    );
    await expectUp();
  });

  it('who asks more than it may is refused, and what it asks is not done without end', async () => {
    const flooder = await openSocket(await signInTo(origin, await link('view')));
    let [refused, answered] = [0, 0];
    flooder.on('message', data => {
      const text = String(data);
      if (text.includes('more often than it may')) refused++;
      else if (text.includes('"reply"')) answered++;
    });
    flooder.send(HELLO);
    // As long as it takes: how fast this computer is decides nothing.
    for (let n = 1; refused === 0 && n < 200_000; n += 1000) {
      for (let id = n; id < n + 1000; id++) flooder.send(request(id, 'app.info'));
      await new Promise(resolve => flooder.send(request(n + 999_999, 'app.info'), resolve));
      await new Promise(setImmediate);
    }
    await waitFor('a refusal', () => refused > 0);
    expect(answered).toBeGreaterThan(0);
    flooder.terminate();
    await expectUp();
  });

  it('who asks and never reads is hung up on, or waits: its answers do not pile up', async () => {
    const flooder = await openSocket(await signInTo(origin, await link('administer')));
    const end = closed(flooder);
    flooder.send(HELLO);
    flooder.pause();
    for (let id = 1; id < 20_000; id++) flooder.send(request(id, 'policy.show'));
    await expectUp();
    expect(resident() - before).toBeLessThan(GROWTH_BYTES_MAX);
    flooder.terminate();
    await end;
    await expectUp();
  });

  it('guesses are shut out, and are a few records in the audit, not a flood', async () => {
    const since = (await ebb.call('audit.list', { limit: 1 })).head.seq;
    const statuses: number[] = [];
    for (let n = 0; n < 60; n++) {
      const body = JSON.stringify({ token: `guess ${n}` });
      statuses.push((await fetch(`${origin}/session`, { method: 'POST', headers: { origin }, body })).status);
    }
    expect(statuses[0]).toBe(403);
    expect(statuses.filter(status => status === 429).length).toBeGreaterThan(30);
    expect((await ebb.call('audit.list', { limit: 1 })).head.seq - since).toBeLessThan(10);
    expect(logged()).toContain('refused, too many sign-ins');
    // Who is in stays in.
    await expectUp();
  });
});

it('after all that the services are the same, their memory is bounded, and the audit is whole', async () => {
  await expectUp();
  expect(resident() - before).toBeLessThan(GROWTH_BYTES_MAX);
  expect(await ebb.call('audit.verify', {})).toMatchObject({ problems: [] });
});
