// A disk that refuses what is written: nobody stays who was to go, and nothing breaks where nobody could catch it.
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import { AccessDesk } from '../../../../electron/control/access/desk.ts';
import { type AccessStore, openAccessStore } from '../../../../electron/control/access/store.ts';
import { systemRandom } from '../../../../electron/platform/random.ts';
import { SESSIONS_OF_ONE_MAX, type SessionId } from '../../../../shared/access.ts';
import { TestClock } from '../../../support/memory-world.ts';
import { bodyOf } from '../../../support/refused.ts';

const HERE = '127.0.0.1';
const HOUR_MS = 3_600_000;

let db: Database.Database;
let clock: TestClock;
let isFull: boolean;
let warnings: string[];
let seenWritten: number;
let desk: AccessDesk;

/** The real one, on a disk that may be full. */
function store(): AccessStore {
  const real = openAccessStore(db);
  const written =
    <A>(write: (value: A) => void) =>
    (value: A): void => {
      if (isFull) throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
      write(value);
    };
  return {
    ...real,
    putToken: written(real.putToken),
    dropToken: written(real.dropToken),
    dropSession: written(real.dropSession),
    putSession: written(row => {
      seenWritten++;
      real.putSession(row);
    }),
  };
}

const begin = (): AccessDesk =>
  new AccessDesk({
    store: store(),
    clock,
    random: systemRandom,
    hash: text => createHash('sha256').update(text).digest('hex'),
    requireBrowsers: () => undefined,
    requireNetwork: () => undefined,
    warn: text => warnings.push(text),
  });

beforeEach(() => {
  db = new Database(':memory:');
  clock = new TestClock();
  isFull = false;
  warnings = [];
  desk = begin();
  seenWritten = 0;
});

const enter = (secret: string) => desk.signIn(secret, HERE, 'a browser');
function page(id: SessionId) {
  const state = { isClosed: false, leave: (): void => undefined };
  const found = desk.join(id, HERE, () => {
    state.isClosed = true;
  });
  if (found === null) throw new Error('it may not');
  return Object.assign(state, { leave: found.leave });
}

it('a page that closes, and the sweep, go on where the disk is full; when it was seen is written later', () => {
  const { session, secret } = enter(desk.link('view').token);
  const { leave } = page(session.id);
  const link = desk.link('view').token;
  isFull = true;
  clock.aheadMs += 11 * HOUR_MS;
  leave();
  desk.sweep();
  clock.aheadMs += 14 * HOUR_MS;
  // The link is old now, and the session was left for long.
  desk.sweep();
  expect(warnings.length).toBeGreaterThan(0);
  expect(desk.session(secret)).toBeNull();
  expect(() => enter(link)).toThrow('rpc.denied');
  isFull = false;
  const before = warnings.length;
  desk.sweep();
  expect(warnings).toHaveLength(before);
  expect(db.prepare('SELECT * FROM access_token').all()).toEqual([]);
  expect(db.prepare('SELECT * FROM access_session').all()).toEqual([]);
});

it('pages that open and close all the time write nothing: the sweep does, once', () => {
  const { session } = enter(desk.link('view').token);
  seenWritten = 0;
  for (let n = 0; n < 100; n++) {
    clock.aheadMs += 10;
    page(session.id).leave();
  }
  expect(seenWritten).toBe(0);
  desk.sweep();
  desk.sweep();
  expect(seenWritten).toBe(1);
});

it.each(['ended', 'was killed'])(
  'a page that is open for half a day stays signed in when the service %s',
  how => {
    const { session, secret } = enter(desk.link('view').token);
    page(session.id);
    for (let minute = 0; minute < 13 * 60; minute++) {
      clock.aheadMs += 60_000;
      desk.sweep();
    }
    expect(seenWritten).toBeLessThan(13 * 6 + 2);
    if (how === 'ended') desk.stop();
    desk = begin();
    expect(desk.session(secret)).not.toBeNull();
  },
);

it('a service that ends writes when the pages were seen last', () => {
  const { session, secret } = enter(desk.link('view').token);
  const { leave } = page(session.id);
  clock.aheadMs += 11 * HOUR_MS;
  leave();
  desk.stop();
  desk = begin();
  clock.aheadMs += 11 * HOUR_MS;
  expect(desk.session(secret)).not.toBeNull();
});

it('who is revoked is out at once, all of them, whatever the disk says; and it is revoked again', () => {
  const { token, secret } = desk.createToken('ana', 'administer', null);
  const sessions = [enter(secret), enter(secret), enter(secret)];
  const pages = sessions.map(({ session }) => page(session.id));
  isFull = true;
  expect(bodyOf(() => desk.revokeToken(token.id))).toMatchObject({
    code: 'disk.full',
    what: expect.stringContaining('the token is revoked cannot be written down: database or disk is full.'),
    safe: expect.stringMatching(/^It lets nobody in/),
    todo: expect.stringContaining('Free space'),
  });
  expect(pages.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
  expect(sessions.map(one => desk.session(one.secret))).toEqual([null, null, null]);
  expect(() => enter(secret)).toThrow('rpc.denied');
  // To be seen, and to be revoked again.
  expect(desk.tokens().map(({ name }) => name)).toEqual(['ana']);
  expect(() => desk.revokeToken(token.id)).toThrow('disk.full');
  isFull = false;
  expect(desk.revokeToken(token.id)).toBe(0);
  expect(desk.tokens()).toEqual([]);
  desk = begin();
  expect([desk.tokens(), desk.sessions()]).toEqual([[], []]);
});

it.each([
  ['a token', () => desk.createToken('ana', 'view', null)],
  ['a link', () => desk.link('view')],
])('%s that cannot be written is not made', (_, make) => {
  isFull = true;
  expect(bodyOf(make)).toMatchObject({ code: 'disk.full', safe: expect.stringMatching(/^None was made/) });
  expect([desk.tokens(), desk.links()]).toEqual([[], []]);
  isFull = false;
  make();
});

it('a session that is ended is out at once, and is ended again', () => {
  const { session, secret } = enter(desk.link('administer').token);
  const { isClosed } = page(session.id);
  expect(isClosed).toBe(false);
  isFull = true;
  expect(bodyOf(() => desk.endSession(session.id))).toMatchObject({
    code: 'disk.full',
    what: expect.stringContaining('the session ended cannot be written down: database or disk is full.'),
    safe: expect.stringMatching(/^It is over/),
    todo: expect.stringContaining('Free space'),
  });
  expect(desk.session(secret)).toBeNull();
  isFull = false;
  desk.endSession(session.id);
  expect(() => desk.endSession(session.id)).toThrow('access.not-found');
  desk = begin();
  expect(desk.session(secret)).toBeNull();
});

it('whoever has a token comes in on a full disk, and stays when the service is another once there is room', () => {
  const { secret } = desk.createToken('ana', 'view', null);
  isFull = true;
  const lost = enter(secret);
  expect(desk.session(lost.secret)).toMatchObject({ user: 'ana' });
  desk.sweep();
  // Known to this service alone.
  expect(db.prepare('SELECT * FROM access_session').all()).toEqual([]);
  isFull = false;
  desk.sweep();
  desk = begin();
  expect(desk.session(lost.secret)).toMatchObject({ user: 'ana' });
});

it('so many come in on a full disk as on any other', () => {
  const { secret } = desk.createToken('ana', 'view', null);
  enter(secret);
  isFull = true;
  for (let n = 0; n < 2 * SESSIONS_OF_ONE_MAX; n++) enter(secret);
  expect(desk.sessions()).toHaveLength(SESSIONS_OF_ONE_MAX);
});

it('by a link nobody comes in before it is gone for good: the next service would let in a second one', () => {
  const link = desk.link('administer').token;
  isFull = true;
  expect(() => enter(link)).toThrow('disk.full');
  expect(desk.sessions()).toEqual([]);
  expect(desk.links()).toHaveLength(1);
  isFull = false;
  enter(link);
  desk = begin();
  expect(() => enter(link)).toThrow('rpc.denied');
});
