// What an export wrote, for one session, once, and only while it is the very file.
import { beforeEach, expect, it } from 'vitest';
import { Downloads } from '../../../../electron/control/points/downloads.ts';
import type { Made } from '../../../../electron/control/tasks/tasks.ts';
import type { SessionId } from '../../../../shared/access.ts';
import type { TaskId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

const session = (n: number) => uuid(n) as unknown as SessionId;
const asker = (n: number) => ({ session: session(n), user: `user ${n}` });
const done = uuid(1) as unknown as TaskId;
const WRITTEN = { path: '/exports/a.img', name: 'a.img', bytes: 10, modifiedMs: 1000.25 };
const ORDER = { what: 'export', vmId: uuid(5), pointId: uuid(6), format: 'raw', path: WRITTEN.path };

let clock: TestClock;
let file: typeof WRITTEN | null;
let made: Made | null;
let isAllowed: boolean;
let denied: unknown[];
let downloads: Downloads;

beforeEach(() => {
  [clock, file, isAllowed] = [new TestClock(), WRITTEN, true];
  denied = [];
  made = { order: ORDER, stood: { ...WRITTEN } };
  let n = 100;
  downloads = new Downloads({
    clock,
    random: { uuid: () => uuid(n++), bytes: length => new Uint8Array(length) },
    made: id => (id === done ? made : null),
    look: path => (path === WRITTEN.path ? file : null),
    require: () => {
      if (!isAllowed) throw new Fault({ code: 'policy.denied', what: 'No.', safe: '', todo: '' });
    },
    denied: (user, { vmId, path }, code) => denied.push([user, vmId, path, code]),
  });
});

it('is had once, by the session that asked, within a minute', () => {
  const ticket = downloads.ticket(done, asker(1));
  expect(() => downloads.take(ticket, session(2))).toThrow('file.unknown-token');
  expect(downloads.take(ticket, session(1))).toEqual(WRITTEN);
  expect(() => downloads.take(ticket, session(1))).toThrow('file.unknown-token');
  const late = downloads.ticket(done, asker(1));
  clock.now += 61_000;
  expect(() => downloads.take(late, session(1))).toThrow('file.unknown-token');
  // Who is at this computer has no session to fetch by.
  expect(() => downloads.take(downloads.ticket(done, { session: null, user: '' }), session(1))).toThrow(
    'file.unknown-token',
  );
});

it.each<[string, { readonly file?: typeof WRITTEN | null; readonly made?: Made | null }]>([
  ['another file has its place', { file: { ...WRITTEN, bytes: 11 } }],
  ['it was written to since', { file: { ...WRITTEN, modifiedMs: 1000.5 } }],
  ['it is gone', { file: null }],
  ['a link to the like has its place', { file: { ...WRITTEN, path: '/elsewhere/a.img' } }],
  ['it was never whole', { made: { order: ORDER, stood: null } }],
  ['the task made none', { made: null }],
  ['the task was no export', { made: { order: { what: 'verify', vmId: uuid(5) }, stood: WRITTEN } }],
])('is refused where %s, before the ticket and after it', (_, now) => {
  const ticket = downloads.ticket(done, asker(1));
  if (now.file !== undefined) file = now.file;
  if (now.made !== undefined) made = now.made;
  expect(() => downloads.ticket(done, asker(1))).toThrow('file.unreadable');
  expect(() => downloads.take(ticket, session(1))).toThrow('file.unreadable');
});

it('is refused where a policy forbids it, also with a ticket: the audit hears whose it was', () => {
  const ticket = downloads.ticket(done, asker(1));
  isAllowed = false;
  expect(() => downloads.ticket(done, asker(1))).toThrow('policy.denied');
  expect(denied).toEqual([]);
  expect(() => downloads.take(ticket, session(1))).toThrow('policy.denied');
  expect(denied).toEqual([['user 1', ORDER.vmId, WRITTEN.path, 'policy.denied']]);
});

it('tickets are bounded: the oldest go', () => {
  const first = downloads.ticket(done, asker(1));
  for (let n = 0; n < 64; n++) downloads.ticket(done, asker(1));
  expect(() => downloads.take(first, session(1))).toThrow('file.unknown-token');
  expect(downloads.take(downloads.ticket(done, asker(1)), session(1))).toEqual(WRITTEN);
});
