// A file that an export wrote, through the gateway: to whoever may, by a ticket, whole or visibly not.
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayWorld } from '../../../support/gateway-world.ts';
import { randomBytes } from '../../../support/seeded.ts';
import { until } from '../../../support/until.ts';

const MIB = 2 ** 20;
const TICKET = '00000000-0000-4000-8000-000000000001';
const NAME = "dev 更新's (1).img";
let world: GatewayWorld;
let path: string;

beforeEach(async () => {
  world = await GatewayWorld.start();
  path = join(world.folder, 'exports', 'out.img');
  mkdirSync(dirname(path));
});
afterEach(() => world.close());

function put(bytes: Uint8Array, ticket = TICKET): void {
  writeFileSync(path, bytes);
  const { size, mtimeMs } = statSync(path);
  world.files.set(ticket, { path, name: NAME, bytes: size, modifiedMs: mtimeMs });
}
const fetchAs = (headers: Record<string, string>, query = `?ticket=${TICKET}`) =>
  world.send('GET', `/download${query}`, { host: world.host, ...headers });

/** Its answer, unread. */
function begin(cookie: string): Promise<IncomingMessage> {
  const headers = { host: world.host, cookie };
  const at = { host: '127.0.0.1', port: world.port, path: `/download?ticket=${TICKET}`, headers };
  return new Promise((resolve, reject) => request(at, resolve).on('error', reject).end());
}
function readAll(answer: IncomingMessage): Promise<{ bytes: number; sha: string; isWhole: boolean }> {
  const hash = createHash('sha256');
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  answer.on('error', () => undefined);
  return new Promise(resolve =>
    answer.on('close', () => resolve({ bytes, sha: hash.digest('hex'), isWhole: answer.complete })),
  );
}

it('comes bit by bit, under its name, as nothing a page could run', async () => {
  const content = randomBytes(3 * MIB + 17, 4);
  put(content);
  const answer = await begin(await world.signIn());
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': String(content.length),
    'content-disposition': "attachment; filename*=UTF-8''dev%20%E6%9B%B4%E6%96%B0%27s%20%281%29.img",
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  const sha = createHash('sha256').update(content).digest('hex');
  expect(await readAll(answer)).toEqual({ bytes: content.length, sha, isWhole: true });
  const session = world.desk.sessions()[0];
  expect(world.asked).toEqual([[TICKET, session?.id]]);
  await until('its session to be left', () => world.desk.sessions()[0]?.connections === 0);
});

it('is for nobody who may not, from no other page and by no other name; control is not asked', async () => {
  put(randomBytes(10, 1));
  const cookie = await world.signIn();
  expect((await fetchAs({})).status).toBe(401);
  expect((await fetchAs({ cookie: `ebb-session-${world.port}=guess` })).status).toBe(401);
  for (const role of ['view', 'operate'] as const)
    expect((await fetchAs({ cookie: await world.signIn(role) })).status).toBe(403);
  for (const site of ['cross-site', 'same-site', 'none'])
    expect((await fetchAs({ cookie, 'sec-fetch-site': site })).status).toBe(403);
  expect((await fetchAs({ cookie, host: `evil.example:${world.port}` })).status).toBe(403);
  expect((await world.send('POST', `/download?ticket=${TICKET}`, { ...world.own, cookie })).status).toBe(405);
  for (const query of ['', '?ticket=', `?ticket=${path}`, '?ticket=../../etc/passwd'])
    expect((await fetchAs({ cookie }, query)).status).toBe(404);
  expect(world.asked).toEqual([]);
  expect((await fetchAs({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
});

it.each([
  ['another file', () => writeFileSync(path, 'another')],
  [
    'a link',
    () => {
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
  ],
  [
    'the very file by a linked folder',
    () => {
      renameSync(dirname(path), `${dirname(path)}.real`);
      symlinkSync(`${dirname(path)}.real`, dirname(path));
    },
  ],
  ['nothing', () => rmSync(path)],
])('where %s has its place, nothing is sent', async (_, change) => {
  put(randomBytes(10, 1));
  change();
  const answer = await fetchAs({ cookie: await world.signIn() });
  expect([answer.status, answer.body]).toEqual([404, 'There is no such file any more.']);
});

it('breaks off when the session ends, and whoever takes it sees that it is not all', async () => {
  put(new Uint8Array(64 * MIB));
  const { secret, token } = world.desk.createToken('ana', 'administer', null);
  const answer = await begin(await world.signIn('administer', secret));
  world.desk.revokeToken(token.id);
  const { bytes, isWhole } = await readAll(answer);
  expect([bytes < 64 * MIB, isWhole]).toEqual([true, false]);
});

it('four at a time; one that its browser left makes room', async () => {
  put(new Uint8Array(64 * MIB));
  const cookie = await world.signIn();
  const open = await Promise.all([1, 2, 3, 4].map(() => begin(cookie)));
  expect((await fetchAs({ cookie })).status).toBe(429);
  for (const answer of open) answer.destroy();
  await until('its session to be left', () => world.desk.sessions()[0]?.connections === 0);
  const again = await begin(cookie);
  expect(again.statusCode).toBe(200);
  again.destroy();
});

it('of more than four asked for at once no more are served', async () => {
  put(new Uint8Array(64 * MIB));
  const cookie = await world.signIn();
  const all = await Promise.all(Array.from({ length: 8 }, () => begin(cookie)));
  const statuses = all.map(({ statusCode }) => statusCode).sort();
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
  for (const answer of all) answer.destroy();
});

it('who does not read it holds nothing once the session ends', async () => {
  put(new Uint8Array(64 * MIB));
  const { secret, token } = world.desk.createToken('ana', 'administer', null);
  const cookie = await world.signIn('administer', secret);
  const held = await Promise.all([1, 2, 3, 4].map(() => begin(cookie)));
  for (const answer of held) answer.pause();
  world.desk.revokeToken(token.id);
  const other = await world.signIn();
  await until('there is room for others', async () => {
    const answer = await begin(other);
    answer.destroy();
    return answer.statusCode === 200;
  });
  for (const answer of held) answer.destroy();
});

it('those asked for behind one another on one connection go with it', async () => {
  put(new Uint8Array(64 * MIB));
  const cookie = await world.signIn();
  const ask = `GET /download?ticket=${TICKET} HTTP/1.1\r\nHost: ${world.host}\r\nCookie: ${cookie}\r\n\r\n`;
  for (let round = 0; round < 3; round++) {
    const asked = world.asked.length;
    const socket = connect(world.port, '127.0.0.1');
    socket.on('error', () => undefined).write(ask.repeat(4));
    await until('they are asked for', () => world.asked.length >= asked + 4);
    socket.resetAndDestroy();
    await until('they are left', () => world.desk.sessions()[0]?.connections === 0);
  }
});

it('a file that is changed while it is sent is not taken for whole', async () => {
  put(new Uint8Array(64 * MIB));
  const answer = await begin(await world.signIn());
  writeFileSync(path, 'x', { flag: 'r+' });
  expect((await readAll(answer)).isWhole).toBe(false);
});
