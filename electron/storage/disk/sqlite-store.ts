// timeline.db. One table of rows by kind: the shapes live in state.ts, the transactions are what SQLite is for.
// A rollback journal, so that no -wal file stands beside a database people may copy. synchronous=EXTRA is FULL and the folder
// synced after the journal is unlinked, which is what commits: a journal that a power cut brings back undoes what was committed.
import Database from 'better-sqlite3';
import { Fault } from '../../../shared/result.ts';
import { type Change, ROW_SCHEMAS, type Row, type RowKind, type TimelineStore } from './state.ts';

const SCHEMA_VERSION = 1;

export function openTimelineStore(path: string): TimelineStore {
  const db = open(path);
  const select = db.prepare('SELECT body FROM row WHERE kind = ? ORDER BY rowid');
  const upsert = db.prepare(
    'INSERT INTO row (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body',
  );
  const remove = db.prepare('DELETE FROM row WHERE kind = ? AND id = ?');
  const apply = db.transaction((changes: readonly Change[]) => {
    for (const change of changes) {
      if ('drop' in change) remove.run(change.drop, change.id);
      else upsert.run(change.put, change.row.id, JSON.stringify(change.row));
    }
  });
  return {
    rows: <K extends RowKind>(kind: K): Row<K>[] =>
      select
        .all(kind)
        .map(row => ROW_SCHEMAS[kind].parse(JSON.parse((row as { body: string }).body)) as Row<K>),
    commit: changes => {
      try {
        apply.immediate(changes);
      } catch (cause) {
        throw storeFault(path, cause);
      }
    },
    close: () => db.close(),
  };
}

function open(path: string): Database.Database {
  try {
    const db = new Database(path, { timeout: 5000 });
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = EXTRA');
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION)
      throw new Error(`written by a newer Ebb (schema ${version}, this one knows ${SCHEMA_VERSION})`);
    db.exec(`CREATE TABLE IF NOT EXISTS row (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
             PRAGMA user_version = ${SCHEMA_VERSION};`);
    return db;
  } catch (cause) {
    throw storeFault(path, cause);
  }
}

function storeFault(path: string, cause: unknown): Fault {
  const code = (cause as { code?: string }).code ?? '';
  const isFull = code === 'SQLITE_FULL';
  return new Fault(
    {
      code: isFull ? 'disk.full' : 'disk.io',
      what: `The timeline database ${path} could not be used: ${cause instanceof Error ? cause.message : String(cause)}.`,
      safe: 'The disks themselves are not affected; the last transaction did not happen.',
      todo: isFull
        ? 'Free some space.'
        : 'Check the disk. Where the database is ruined, it can be made anew from the images: ebb vm rescue VM',
    },
    cause,
  );
}
