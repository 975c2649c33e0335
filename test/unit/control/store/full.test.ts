// A catalog that takes no more: what is not written is refused in words and is not so, in memory either (T14).
import Database from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { type Catalog, openCatalog } from '../../../../electron/control/store/catalog.ts';
import { orLater, writing } from '../../../../electron/control/store/unwritten.ts';
import { openVmRows } from '../../../../electron/control/store/vm-rows.ts';
import { BugError, Fault } from '../../../../shared/result.ts';
import { specOf, uuid } from '../../../support/memory-world.ts';

const FULL = expect.objectContaining({ body: expect.objectContaining({ code: 'disk.full' }) });
const LONG = 'a'.repeat(64 * 1024);
let catalog: Catalog;

beforeEach(() => {
  catalog = openCatalog(':memory:');
  catalog.put(specOf(1));
});

/** No page more than it has. */
const fill = (db: Database.Database): void =>
  void db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);

it('a VM, a setting and a row of its own stay as they were', () => {
  const rows = openVmRows(catalog.db, 'test_row', z.object({ text: z.string() }));
  rows.put(uuid(1), { text: 'short' });
  fill(catalog.db);
  expect(() => catalog.put({ ...specOf(1), notes: LONG })).toThrow(FULL);
  expect(catalog.get(uuid(1))?.notes).toBe('');
  expect(() => rows.put(uuid(1), { text: LONG })).toThrow(FULL);
  expect(rows.get(uuid(1))).toEqual({ text: 'short' });
});

it('what a transaction that came to nothing had put is as it is written, once it is read again', () => {
  const { db } = catalog;
  expect(() =>
    writing(() =>
      db.transaction(() => {
        catalog.put({ ...specOf(1), name: 'other' });
        fill(db);
        catalog.put({ ...specOf(1), notes: LONG });
      })(),
    ),
  ).toThrow(FULL);
  catalog.reread();
  expect(catalog.all().map(({ name }) => name)).toEqual([specOf(1).name]);
});

it('where it cannot be read again nothing is forgotten: no VM is gone because of that', () => {
  const rows = openVmRows(catalog.db, 'test_row', z.object({ text: z.string() }));
  rows.put(uuid(1), { text: 'short' });
  catalog.db.exec('ALTER TABLE vm RENAME TO away; ALTER TABLE test_row RENAME TO away_too');
  expect(() => catalog.reread()).toThrow('no such table');
  expect(() => rows.reread()).toThrow('no such table');
  expect(catalog.all().map(({ id }) => id)).toEqual([uuid(1)]);
  expect(rows.get(uuid(1))).toEqual({ text: 'short' });
});

it('a mistake of ours is no full disk, and what somebody tells again is waited for', () => {
  const wrong = (): never => {
    throw new BugError('wrong');
  };
  expect(() => writing(wrong)).toThrow(BugError);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  fill(catalog.db);
  orLater(() => catalog.put({ ...specOf(1), notes: LONG }), 'its notes', log);
  expect(lines).toEqual([expect.stringMatching(/^its notes is not written yet: disk\.full/)]);
  expect(() => orLater(wrong, '', log)).toThrow(BugError);
});

it('what SQLite refuses is told by what helps, and a mistake in what it was asked is ours', () => {
  const refused = (code: string): unknown => {
    try {
      return writing(() => {
        throw new Database.SqliteError('no', code);
      });
    } catch (cause) {
      return cause instanceof Fault ? cause.body : cause;
    }
  };
  expect(refused('SQLITE_IOERR_WRITE')).toMatchObject({
    code: 'disk.io',
    todo: expect.stringMatching(/^Check the disk/),
  });
  expect(refused('SQLITE_NOTADB')).toMatchObject({
    code: 'disk.io',
    todo: expect.stringMatching(/put a copy of/),
  });
  for (const code of ['SQLITE_READONLY_DBMOVED', 'SQLITE_CANTOPEN'])
    expect(refused(code)).toMatchObject({
      code: 'host.permission',
      todo: expect.stringMatching(/is yours to write/),
    });
  expect(refused('SQLITE_CONSTRAINT_UNIQUE')).toBeInstanceOf(Database.SqliteError);
  expect(() => writing(() => catalog.db.exec('INSERT INTO none VALUES (1)'))).toThrow(Database.SqliteError);
});
