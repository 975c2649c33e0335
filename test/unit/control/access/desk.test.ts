// Who may come from elsewhere: tokens, links, sessions, and that what ends, ends at once, with all it has open.
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { AccessDesk } from '../../../../electron/control/access/desk.ts';
import { openAccessStore } from '../../../../electron/control/access/store.ts';
import { systemRandom } from '../../../../electron/platform/random.ts';
import {
  CHANNELS_OF_SESSION_MAX,
  isLoopback,
  SESSIONS_MAX,
  SESSIONS_OF_ONE_MAX,
  TOKENS_MAX,
} from '../../../../shared/access.ts';
import { Fault } from '../../../../shared/result.ts';
import { SESSION_PACE } from '../../../../shared/rpc/pace.ts';
import { TestClock } from '../../../support/memory-world.ts';

const HERE = '127.0.0.1';
const THERE = '192.0.2.7';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let db: Database.Database;
let clock: TestClock;
let isNetworkAllowed: boolean;
let areBrowsersAllowed: boolean;
let desk: AccessDesk;

const begin = (): AccessDesk =>
  new AccessDesk({
    store: openAccessStore(db),
    clock,
    random: systemRandom,
    hash: text => createHash('sha256').update(text).digest('hex'),
    requireBrowsers: () => {
      if (!areBrowsersAllowed) throw new Fault({ code: 'policy.denied', what: 'No.', safe: '', todo: '' });
    },
    warn: text => {
      throw new Error(text);
    },
    requireNetwork: () => {
      if (!isNetworkAllowed) throw new Fault({ code: 'policy.denied', what: 'No.', safe: '', todo: '' });
    },
  });

beforeEach(() => {
  db = new Database(':memory:');
  clock = new TestClock();
  isNetworkAllowed = false;
  areBrowsersAllowed = true;
  desk = begin();
});

const make = (name: string, expiresAt: number | null = null) => desk.createToken(name, 'operate', expiresAt);
const enter = (secret: string, address = HERE) => desk.signIn(secret, address, 'a browser');
const later = (ms: number): void => {
  clock.aheadMs += ms;
};
/** Which channels were closed. */
function joined(id: Parameters<AccessDesk['join']>[0], address = HERE) {
  const state = { isClosed: false, leave: (): void => undefined };
  const found = desk.join(id, address, () => {
    state.isClosed = true;
  });
  if (found === null) return null;
  state.leave = found.leave;
  return state;
}

describe('tokens', () => {
  it('sign in as often as they are said, as what they may; a link once', () => {
    const { secret } = make('ana');
    expect(enter(secret).session).toMatchObject({ user: 'ana', role: 'operate', address: HERE });
    expect(enter(secret).session.user).toBe('ana');
    const link = desk.link('view').token;
    expect(enter(link).session).toMatchObject({ user: '', role: 'view' });
    expect(() => enter(link)).toThrow('rpc.denied');
    expect(() => enter('guessed')).toThrow('rpc.denied');
  });

  it('are kept as hashes: no secret is in the database, and none is told again', () => {
    const { secret } = make('ana');
    const link = desk.link('view').token;
    const session = enter(secret).secret;
    const rows = JSON.stringify([
      db.prepare('SELECT * FROM access_token').all(),
      db.prepare('SELECT * FROM access_session').all(),
      desk.tokens(),
      desk.sessions(),
    ]);
    for (const word of [secret, link, session]) expect(rows).not.toContain(word);
    expect(JSON.stringify([desk.tokens(), desk.sessions()])).not.toContain('hash');
  });

  it('have one name each, in any case, and there are so many', () => {
    make('Ana');
    expect(() => make('ana')).toThrow('rpc.bad-request');
    for (let n = 1; n < TOKENS_MAX; n++) make(`t${n}`);
    expect(() => make('one more')).toThrow('limit.reached');
    desk.link('view');
    expect(desk.tokens()).toHaveLength(TOKENS_MAX);
  });

  it('end in their time, and what they began with them', () => {
    expect(() => make('late', clock.wallMs())).toThrow('rpc.bad-request');
    const { secret } = make('ana', clock.wallMs() + HOUR_MS);
    const { session } = enter(secret);
    const channel = joined(session.id);
    later(HOUR_MS);
    desk.sweep();
    expect(channel?.isClosed).toBe(true);
    expect(() => enter(secret)).toThrow('rpc.denied');
    expect(desk.tokens()).toHaveLength(1);
  });

  it('a link is forgotten when it is old, or others came', () => {
    const old = desk.link('view').token;
    later(DAY_MS);
    expect(() => enter(old)).toThrow('rpc.denied');
    const first = desk.link('view').token;
    for (let n = 0; n < 16; n++) desk.link('view');
    expect(() => enter(first)).toThrow('rpc.denied');
  });
});

describe('links', () => {
  it('are told until somebody signed in with them, or they are old; a token is none', () => {
    make('ana');
    const [first, second] = [desk.link('view'), desk.link('operate')];
    expect(desk.links()).toMatchObject([
      { id: first.id, role: 'view', expiresAt: first.expiresAt },
      { id: second.id, role: 'operate' },
    ]);
    expect(JSON.stringify(desk.links())).not.toMatch(/hash|token|name/);
    enter(first.token);
    expect(desk.links().map(({ id }) => id)).toEqual([second.id]);
    later(DAY_MS);
    expect(desk.links()).toEqual([]);
  });

  it('are revoked, for good, and nobody comes in by them', () => {
    const { id, token } = desk.link('administer');
    expect(desk.whatIs(id)).toEqual({ link: id, role: 'administer' });
    expect(desk.revokeToken(id)).toBe(0);
    expect(() => desk.revokeToken(id)).toThrow('access.not-found');
    for (const again of [false, true]) {
      if (again) desk = begin();
      expect(desk.links()).toEqual([]);
      expect(() => enter(token)).toThrow('rpc.denied');
    }
  });
});

describe('sessions', () => {
  it('are known by their secret, outlive control, and end when their token is revoked: at once', () => {
    const { token, secret } = make('ana');
    const { session, secret: cookie } = enter(secret);
    const other = enter(make('bo').secret).session;
    desk = begin();
    expect(desk.session(cookie)).toMatchObject({ id: session.id, user: 'ana' });
    const channels = [joined(session.id), joined(session.id), joined(other.id)];
    expect(desk.revokeToken(token.id)).toBe(1);
    expect(channels.map(channel => channel?.isClosed)).toEqual([true, true, false]);
    expect(desk.session(cookie)).toBeNull();
    expect(joined(session.id)).toBeNull();
    expect(() => desk.revokeToken(token.id)).toThrow('access.not-found');
    desk = begin();
    expect(desk.session(cookie)).toBeNull();
    expect(desk.sessions().map(({ id }) => id)).toEqual([other.id]);
  });

  it('end one by one', () => {
    const { session, secret } = enter(desk.link('administer').token);
    const channel = joined(session.id);
    desk.endSession(session.id);
    expect(channel?.isClosed).toBe(true);
    expect(desk.session(secret)).toBeNull();
    expect(() => desk.endSession(session.id)).toThrow('access.not-found');
  });

  it('end when nobody is there for long, not while somebody is, and all of them some day', () => {
    const away = enter(desk.link('view').token);
    const here = enter(desk.link('view').token);
    const channel = joined(here.session.id);
    later(13 * HOUR_MS);
    expect(desk.session(away.secret)).toBeNull();
    expect(desk.session(here.secret)).not.toBeNull();
    channel?.leave();
    later(11 * HOUR_MS);
    expect(desk.session(here.secret)).not.toBeNull();
    joined(here.session.id);
    later(31 * DAY_MS);
    desk.sweep();
    expect(desk.sessions()).toEqual([]);
  });

  it('are so many of one, so many in all, and each has so many channels; who was away longest makes room', () => {
    const { secret } = make('ana');
    const ids = Array.from({ length: SESSIONS_OF_ONE_MAX + 1 }, () => {
      later(1);
      return enter(secret).session.id;
    });
    expect(desk.sessions().map(({ id }) => id)).toEqual(ids.slice(1).reverse());
    const [, second = ids[0]] = ids;
    if (second === undefined) throw new Error('no session');
    for (let n = 0; n < CHANNELS_OF_SESSION_MAX; n++) expect(joined(second)).not.toBeNull();
    expect(joined(second)).toBeNull();
    // Whoever is there stays.
    later(1);
    enter(secret);
    expect(desk.sessions().map(({ id }) => id)).toContain(second);
    for (let n = 0; n < 20; n++) {
      const one = make(`t${n}`).secret;
      for (let m = 0; m < SESSIONS_OF_ONE_MAX; m++) enter(one);
    }
    expect(desk.sessions()).toHaveLength(SESSIONS_MAX);
    expect(desk.sessions().map(({ id }) => id)).toContain(second);
  });

  it('of one name share one pace, whatever they have open', () => {
    const { session } = enter(make('ana').secret);
    const first = desk.join(session.id, HERE, () => undefined);
    const second = desk.join(session.id, HERE, () => undefined);
    let taken = 0;
    while (first?.pace.take()) taken++;
    expect(taken).toBeGreaterThan(100);
    expect(second?.pace.take()).toBe(false);
    clock.now += 1000;
    expect(second?.pace.take()).toBe(true);
  });
});

describe('a page that is opened and closed all the time', () => {
  it('is paced as whoever asks', () => {
    const { session } = enter(make('ana').secret);
    let opened = 0;
    for (let n = 0; n < 10_000; n++) {
      const channel = joined(session.id);
      if (channel !== null) opened++;
      channel?.leave();
    }
    expect(opened).toBe(SESSION_PACE.atOnce);
    clock.now += 1000;
    expect(joined(session.id)).not.toBeNull();
  });

  it('signs in a hundred times at once and then now and then, each token for itself', () => {
    const [ana, bo] = [make('ana').secret, make('bo').secret];
    for (let n = 0; n < 100; n++) enter(ana);
    expect(() => enter(ana)).toThrow('limit.reached');
    expect(enter(bo).session.user).toBe('bo');
    clock.now += 10_000;
    expect(enter(ana).session.user).toBe('ana');
    expect(() => enter(ana)).toThrow('limit.reached');
  });
});

it('where browsers may not be, none is in, none comes in, and none goes on: not with an upload either', () => {
  const { session, secret } = enter(make('ana').secret);
  const upload = joined(session.id);
  const link = desk.link('view').token;
  areBrowsersAllowed = false;
  desk.policyChanged();
  expect(upload?.isClosed).toBe(true);
  expect(joined(session.id)).toBeNull();
  expect(() => desk.session(secret)).toThrow('policy.denied');
  expect(desk.session('guessed')).toBeNull();
  expect(() => enter(link)).toThrow('policy.denied');
  areBrowsersAllowed = true;
  expect(desk.session(secret)).not.toBeNull();
  expect(enter(link).session.role).toBe('view');
});

describe('from other computers', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is none', address => {
    expect(isLoopback(address)).toBe(true);
  });
  it.each(['192.0.2.7', '0.0.0.0', '::', '::ffff:192.0.2.7', '128.0.0.1', '127.0.0.1.example.org', ''])(
    '%s is one',
    address => {
      expect(isLoopback(address)).toBe(false);
    },
  );

  it('nobody comes in without a policy that allows it, and who came is cut off when it goes', () => {
    const { secret } = make('ana');
    expect(() => enter(secret, THERE)).toThrow('policy.denied');
    const link = desk.link('view').token;
    expect(() => enter(link, THERE)).toThrow('policy.denied');
    // Refused for the place alone: the link is good yet.
    isNetworkAllowed = true;
    const { session } = enter(link, THERE);
    const [far, near] = [joined(session.id, THERE), joined(session.id, HERE)];
    desk.policyChanged();
    expect(far?.isClosed).toBe(false);
    isNetworkAllowed = false;
    desk.policyChanged();
    expect([far?.isClosed, near?.isClosed]).toEqual([true, false]);
    expect(joined(session.id, THERE)).toBeNull();
  });
});

it('what cannot be read in the database lets nobody in, and keeps nobody out', () => {
  const { secret } = make('ana');
  db.exec("INSERT INTO access_token VALUES ('x', '{\"role\":\"administer\"}'), ('y', 'nothing')");
  desk = begin();
  expect(desk.tokens()).toHaveLength(1);
  expect(enter(secret).session.user).toBe('ana');
});
