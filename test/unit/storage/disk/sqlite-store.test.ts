// T5: what timeline.db's durability stands on, asked of the very connection that commits: SQLite keeps `synchronous` per
// connection, and in no file.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openCatalog } from '../../../../electron/control/store/catalog.ts';
import { openTimelineStore } from '../../../../electron/storage/disk/sqlite-store.ts';
import { put } from '../../../../electron/storage/disk/state.ts';

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

it('a VM that was made is in catalog.db after a power cut', () => {
  const db = connectionOf(() => openCatalog(join(folder, 'catalog.db')));
  expect(pragmas(db)).toEqual(['wal', FULL, 'normal']);
  db.close();
});
