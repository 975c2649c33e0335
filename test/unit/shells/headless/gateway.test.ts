import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../../../electron/platform/folder.ts';
import { FREE_BYTES_MIN, Uploads } from '../../../../electron/shells/headless/upload.ts';
import { webSocketChannel } from '../../../../electron/transport/websocket.ts';
import { redactor } from '../../../../shared/redact.ts';
import { ROLES } from '../../../../shared/roles.ts';
import { connectClient } from '../../../../shared/rpc/client.ts';
import { echoContract } from '../../../support/echo-service.ts';
import { FILE, GatewayWorld } from '../../../support/gateway-world.ts';
import { until } from '../../../support/until.ts';

describe('browser gateway', () => {
  let world: GatewayWorld;
  let folder: string;
  const send: GatewayWorld['send'] = (...words) => world.send(...words);
  const signIn: GatewayWorld['signIn'] = role => world.signIn(role);
  const upgrade: GatewayWorld['upgrade'] = (...words) => world.upgrade(...words);
  const host = (): string => world.host;
  const own = (): Record<string, string> => world.own;

  beforeEach(async () => {
    world = await GatewayWorld.start();
    ({ folder } = world);
  });
  afterEach(() => world.close());

  it('serves the page with a strict policy and right kinds, keeping only hashed files', async () => {
    const page = await send('GET', '/');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>Ebb</title>' });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://${host()};`);
    expect(policy).toContain("frame-ancestors 'none'");
    const script = await send('GET', '/assets/index-abc.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toContain('immutable');
  });

  it.each([
    '/../outside.html',
    '/%2e%2e/outside.html',
    '/assets/..%2f..%2foutside.html',
    '/%00',
    '/%ff',
    '/link.html',
    '/secret.pem',
    '/assets',
    '//etc/passwd',
    '/.hidden.html',
    '/../../../../etc/passwd',
    '/\\..\\outside.html',
    '*',
  ])('does not serve %s', async path => {
    const answer = await send('GET', path);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('outside');
  });

  it('asks control who signs in, and says where from', async () => {
    await signIn();
    const body = JSON.stringify({ token: 'guessed' });
    expect((await send('POST', '/session', own(), body)).status).toBe(403);
    expect(world.signIns).toEqual([
      [true, '127.0.0.1'],
      [false, '127.0.0.1'],
    ]);
  });

  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', 'localhost'])(
    'refuses everything asked of host %s: a rebound name is not ours',
    async wrong => {
      const cookie = await signIn();
      const headers = { host: wrong, origin: `http://${wrong}`, cookie };
      expect((await send('GET', '/', headers)).status).toBe(403);
      expect((await send('POST', '/upload', headers, 'x')).status).toBe(403);
      expect((await upgrade(headers)).status).toBe(403);
    },
  );

  it('what strangers call it, or say where they are from, stands in its log, and in no support bundle', async () => {
    expect((await send('GET', '/', { host: 'secret.example:9' })).status).toBe(403);
    expect((await send('POST', '/session', { ...own(), origin: 'secret.example. And so on' })).status).toBe(
      403,
    );
    expect(world.logged.map(line => line.includes('secret'))).toEqual([true, true]);
    const redact = redactor({ names: new Map(), user: 'ann', host: 'anns-laptop' });
    expect(world.logged.map(redact)).toEqual([
      'refused, another host: <address>',
      'refused, another origin: <address>',
    ]);
  });

  it('exchanges a token once for a cookie scripts cannot read', async () => {
    const token = world.desk.link('administer').token;
    expect((await send('GET', '/session')).status).toBe(401);
    const first = await send('POST', '/session', own(), JSON.stringify({ token }));
    expect(first.status).toBe(204);
    const cookie = first.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toMatch(/^ebb-session-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect(cookie).not.toContain(token);
    expect((await send('POST', '/session', own(), JSON.stringify({ token }))).status).toBe(403);
    const headers = { host: host(), cookie: cookie.split(';')[0] ?? '' };
    expect((await send('GET', '/session', headers)).status).toBe(204);
  });

  it.each(ROLES)(
    'joins who may %s to control as that, and takes files of nobody who may not use them',
    async role => {
      const cookie = await signIn(role);
      const { status, socket } = await upgrade({ ...own(), cookie });
      expect(status).toBe(101);
      socket.close();
      expect(world.joined).toEqual([role]);
      const sent = await send('POST', '/upload', { ...own(), cookie }, 'x');
      expect(sent.status).toBe(role === 'administer' ? 200 : 403);
      expect(world.registered).toHaveLength(role === 'administer' ? 1 : 0);
    },
  );

  it.each(['', 'null', '{}', '{"token":1}', '{"token":""}', '[', 'x'.repeat(5000)])(
    'signs nobody in with %s',
    async body => {
      expect((await send('POST', '/session', own(), body)).status).toBe(403);
    },
  );

  it.each([
    ['no Origin', {}],
    ['a foreign Origin', { origin: 'http://evil.example' }],
    ['an opaque Origin', { origin: 'null' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
  ])('refuses changes and sockets with %s, the cookie notwithstanding', async (_, headers) => {
    const cookie = await signIn();
    const all: Record<string, string> = { host: host(), cookie, ...headers };
    const token = JSON.stringify({ token: world.desk.link('administer').token });
    expect((await send('POST', '/session', all, token)).status).toBe(403);
    expect((await send('POST', '/upload', all, 'x')).status).toBe(403);
    expect((await upgrade(all)).status).toBe(403);
    expect(world.registered).toEqual([]);
  });

  it('opens no socket without a cookie, nor elsewhere than /rpc, nor for a forgotten session', async () => {
    expect((await upgrade(own())).status).toBe(401);
    expect((await upgrade({ ...own(), cookie: `ebb-session-${world.port}=guess` })).status).toBe(401);
    const cookie = await signIn();
    expect((await upgrade({ ...own(), cookie }, '/other')).status).toBe(404);
    for (let n = 0; n < 16; n++) await signIn();
    expect((await upgrade({ ...own(), cookie })).status).toBe(401);
  });

  it('joins a signed-in page to control, and ends it when control ends', async () => {
    const { status, socket } = await upgrade({ ...own(), cookie: await signIn() });
    expect(status).toBe(101);
    const client = connectClient(echoContract, webSocketChannel(socket));
    expect(await client.call('echo', { text: 'through' })).toEqual({ text: 'through' });
    let isGone = false;
    client.onClose(() => {
      isGone = true;
    });
    await world.closeControl();
    await until('the page hears it', () => isGone);
    expect((await upgrade({ ...own(), cookie: await signIn() })).status).toBe(503);
  });

  const upgradeBytes = (cookie: string, more: string): string =>
    `GET /rpc HTTP/1.1\r\nHost: ${host()}\r\nOrigin: ${world.origin}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n\r\n`;
  const KEY = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Version:`;

  it.each([
    ['has a bad key', 'Sec-WebSocket-Key: bad\r\nSec-WebSocket-Version: 13'],
    ['has another version', `${KEY} 99`],
    ['goes away meanwhile', `${KEY} 13`],
  ])('keeps no channel to control for an upgrade that %s', async (how, more) => {
    const cookie = await signIn();
    const socket = connect({ host: '127.0.0.1', port: world.port, allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.resume();
    if (how === 'goes away meanwhile') world.joining = async () => void socket.resetAndDestroy();
    socket.write(upgradeBytes(cookie, more));
    await until('it is joined', () => world.joined.length === 1);
    await until('it is closed', () => socket.destroyed || socket.readableEnded);
    await until('its channel is closed', () => world.desk.sessions()[0]?.connections === 0);
    socket.destroy();
  });

  it('hangs up on whom it refuses, though they do not', async () => {
    const socket = connect({ host: '127.0.0.1', port: world.port, allowHalfOpen: true });
    let heard = '';
    socket.on('data', data => {
      heard += data;
    });
    let isOver = false;
    // Writing to what the other side has closed fails; to what it has but half closed it does not.
    socket.on('error', () => {
      isOver = true;
    });
    socket.write(upgradeBytes('', `${KEY} 13`));
    await until('it is hung up on', () => {
      socket.write('x');
      return isOver;
    });
    expect(heard).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('stores an upload whole in the private folder and answers its token and shown name', async () => {
    const cookie = await signIn();
    const bytes = Buffer.alloc(300_000, 7);
    const path = `/upload?name=${encodeURIComponent('../../etc/\u0007disk.vhd')}`;
    const answer = await send('POST', path, { ...own(), cookie }, bytes);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ file: FILE, name: '../../etc/disk.vhd', bytes: 300_000 });
    expect(world.registered).toHaveLength(1);
    expect(world.registered[0]).toMatch(/uploads\/[0-9a-f-]{36}$/);
    expect(readFileSync(world.registered[0] ?? '').equals(bytes)).toBe(true);
  });

  it('takes no upload from who is not signed in', async () => {
    expect((await send('POST', '/upload?name=a', own(), 'x'.repeat(100_000))).status).toBe(401);
    expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
  });

  it('refuses an upload the disk cannot hold: before it starts, and while it arrives; nothing is left', async () => {
    const cookie = await signIn();
    world.freeBytes = FREE_BYTES_MIN + 10;
    const early = await send('POST', '/upload?name=a', { ...own(), cookie }, Buffer.alloc(1000));
    expect(early.status).toBe(507);
    expect(JSON.parse(early.body).error).toMatchObject({
      code: 'disk.full',
      safe: expect.stringContaining('untouched'),
    });
    world.freeBytes = FREE_BYTES_MIN - 1;
    const chunked = { ...own(), cookie, 'transfer-encoding': 'chunked' };
    expect((await send('POST', '/upload?name=a', chunked, Buffer.alloc(1000))).status).toBe(507);
    expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
  });

  it('leaves nothing of an upload that breaks off or that control refuses', async () => {
    const cookie = await signIn();
    const headers = { ...own(), cookie, 'content-length': '1000000' };
    const call = request({ host: '127.0.0.1', port: world.port, method: 'POST', path: '/upload', headers });
    call.on('error', () => undefined);
    call.write(Buffer.alloc(200_000));
    const uploads = join(folder, 'uploads');
    await until('it arrives', () => readdirSync(uploads).length === 1);
    call.destroy();
    await until('it is removed', () => readdirSync(uploads).length === 0);
    world.registering = 'fails';
    const answer = await send('POST', '/upload?name=a', { ...own(), cookie }, 'x');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body).error.code).toBe('file.unreadable');
    expect(readdirSync(uploads)).toEqual([]);
  });

  it("removes what a killed gateway left half-received, not another's upload under way", async () => {
    const uploads = openFolder(join(folder, 'uploads'));
    for (const name of ['a.1.part', 'b.4711.part', 'c']) writeFileSync(join(uploads.path, name), '');
    await new Uploads({ folder: uploads, pid: 1, isRunning: pid => pid === 1 }).removePartial();
    expect(readdirSync(uploads.path).sort()).toEqual(['a.1.part', 'c']);
  });

  it('answers no other method', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      expect((await send(method, '/')).status, method).toBe(405);
    }
  });

  it('says why a good token lets nobody in, and does not take it for a wrong one', async () => {
    const { secret } = world.desk.createToken('ana', 'view', null);
    const enter = (token: string) => send('POST', '/session', own(), JSON.stringify({ token }));
    world.areBrowsersAllowed = false;
    for (let n = 0; n < 12; n++) {
      const { status, body } = await enter(secret);
      expect([status, JSON.parse(body)]).toMatchObject([
        403,
        { error: { code: 'policy.denied', what: 'headless.access: no.' } },
      ]);
    }
    expect(JSON.parse((await enter('guessed')).body).error.code).toBe('rpc.denied');
    world.areBrowsersAllowed = true;
    expect((await enter(secret)).status).toBe(204);
  });

  it('says why a page is signed out: browsers are forbidden, or its session ended; to nobody else', async () => {
    const { secret, token } = world.desk.createToken('ana', 'view', null);
    const cookie = await world.signIn('view', secret);
    const asked = async (headers: Record<string, string>) => {
      const { status, body } = await send('GET', '/session', { ...own(), ...headers });
      return [status, body === '' ? '' : JSON.parse(body)];
    };
    world.areBrowsersAllowed = false;
    const why = { error: { code: 'policy.denied', what: 'headless.access: no.' } };
    expect(await asked({ cookie })).toMatchObject([403, why]);
    expect((await upgrade({ ...own(), cookie })).status).toBe(403);
    expect(await asked({ cookie: `ebb-session-${world.port}=guess` })).toEqual([410, '']);
    expect(await asked({})).toEqual([401, '']);
    world.areBrowsersAllowed = true;
    expect(await asked({ cookie })).toEqual([204, '']);
    world.desk.revokeToken(token.id);
    expect(await asked({ cookie })).toEqual([410, '']);
    expect((await upgrade({ ...own(), cookie })).status).toBe(401);
  });

  it('a token that signs in too often is told to wait, and is not taken for a wrong one', async () => {
    const { secret } = world.desk.createToken('often', 'view', null);
    for (let n = 0; n < 100; n++) world.desk.signIn(secret, '127.0.0.1', 'a test');
    const again = (token: string) => world.send('POST', '/session', world.own, JSON.stringify({ token }));
    for (let n = 0; n < 12; n++) expect((await again(secret)).status).toBe(429);
    expect((await again(world.desk.link('view').token)).status).toBe(204);
  });
});
