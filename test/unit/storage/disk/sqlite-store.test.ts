// T5: what timeline.db's durability stands on, asked of the very connection that commits: SQLite keeps `synchronous` per
// connection, and in no file.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openCatalog } from '../../../../electron/control/store/catalog.ts';
import { openTimelineStore } from '../../../../electron/storage/disk/sqlite-store.ts';
import { put } from '../../../../electron/storage/disk/state.ts';
import type { MomentId } from '../../../../shared/ids.ts';

/** The folder is synced, too, once the journal is gone from it. */
const EXTRA = 3;
const FULL = 2;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-sqlite-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing is replaced: it is only seen which connection the statements are prepared on. */
function connectionOf(open: () => unknown): Database.Database {
  const preparing = vi.spyOn(Database.prototype, 'prepare');
  open();
  const [connection] = preparing.mock.contexts;
  if (connection === undefined) throw new Error('nothing was prepared');
  return connection as Database.Database;
}
const fault = (code: string) => expect.objectContaining({ body: expect.objectContaining({ code }) });
const pragmas = (db: Database.Database): unknown[] =>
  ['journal_mode', 'synchronous', 'locking_mode'].map(name => db.pragma(name, { simple: true }));

it('T5: a returned commit of timeline.db survives a power cut, and nothing stands beside it', () => {
  let commit = (): void => undefined;
  const db = connectionOf(() => {
    const store = openTimelineStore(join(folder, 'timeline.db'));
    commit = () => store.commit([put('now', { id: 'now', momentId: null })]);
  });
  expect(pragmas(db)).toEqual(['delete', EXTRA, 'normal']);
  commit();
  expect(pragmas(db)).toEqual(['delete', EXTRA, 'normal']);
  expect(readdirSync(folder)).toEqual(['timeline.db']);
  db.close();
});

describe('T14: a commit whose disk failed at an instant nobody knows', () => {
  const path = (): string => join(folder, 'timeline.db');
  const now = (momentId: string | null) => put('now', { id: 'now', momentId: momentId as MomentId | null });
  const moment = '00000000-0000-4000-8000-000000000007';
  const failed = (): never => {
    throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_DIR_FSYNC' });
  };

  it('has happened where the file says so', () => {
    const store = openTimelineStore(path(), { committed: failed });
    store.commit([now(null), now(moment)]);
    expect(store.rows('now')).toEqual([{ id: 'now', momentId: moment }]);
    store.close();
  });

  it('has not, and says so, where the file says that', () => {
    let undo = (): void => undefined;
    const store = openTimelineStore(path(), {
      committed: () => {
        undo();
        failed();
      },
    });
    store.commit([now(null)]);
    undo = () => {
      const other = new Database(path());
      other.exec("DELETE FROM row WHERE kind = 'now'");
      other.close();
    };
    expect(() => store.commit([now(moment)])).toThrow(fault('disk.io'));
    undo = () => undefined;
    store.commit([now(moment)]);
    expect(store.rows('now')).toEqual([{ id: 'now', momentId: moment }]);
    store.close();
  });

  it('one that was closed takes no transaction, and is not opened again by it', () => {
    const store = openTimelineStore(path());
    store.close();
    rmSync(path());
    expect(() => store.commit([now(null)])).toThrow('was closed');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('nothing is made in its place where the database was moved away', () => {
    const store = openTimelineStore(path());
    store.commit([now(null)]);
    renameSync(path(), `${path()}.away`);
    expect(() => store.commit([now(moment)])).toThrow(fault('disk.poisoned'));
    store.close();
    expect(readdirSync(folder)).toEqual(['timeline.db.away']);
  });

  it('where nobody can tell, nothing is changed any more, until it is opened again', () => {
    let lose = (): void => rmSync(folder, { recursive: true });
    const store = openTimelineStore(path(), {
      committed: () => {
        lose();
        failed();
      },
    });
    expect(() => store.commit([now(null)])).toThrow(fault('disk.poisoned'));
    mkdirSync(folder);
    lose = () => undefined;
    expect(() => store.commit([now(null)])).toThrow(fault('disk.poisoned'));
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('a VM that was made is in catalog.db after a power cut', () => {
  const db = connectionOf(() => openCatalog(join(folder, 'catalog.db')));
  expect(pragmas(db)).toEqual(['wal', FULL, 'normal']);
  db.close();
});
