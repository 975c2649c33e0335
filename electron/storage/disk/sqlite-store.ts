// timeline.db. One table of rows by kind: the shapes live in state.ts, the transactions are what SQLite is
// for. A rollback journal, so that no -wal file stands beside a database people may copy. synchronous=EXTRA
// is FULL plus a sync of the folder after the journal is unlinked. The unlinking is the commit: a journal
// that a power cut brings back undoes it.
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import { syncFolder } from '../../platform/json-file.ts';
import { uncertain } from './engine-faults.ts';
import { type Change, ROW_SCHEMAS, type Row, type RowKind, type TimelineStore } from './state.ts';

const SCHEMA_VERSION = 1;

export interface StoreOptions {
  /** Called after SQLite has committed and before the caller is told: here a test can be the failing disk. */
  readonly committed?: () => void;
}

export function openTimelineStore(path: string, { committed }: StoreOptions = {}): TimelineStore {
  let session = new Session(path);
  let isLost = false;
  let isClosed = false;
  /** T14: SQLite failed at an unknown instant: only the file tells if it happened. Throws where it cannot. */
  const happened = (changes: readonly Change[]): boolean => {
    try {
      session.db.close();
      // A database that was moved away is not made anew: an empty one would be believed.
      session = new Session(path, { fileMustExist: true });
      const isThere = session.has(changes);
      syncFolder(dirname(path));
      return isThere;
    } catch {
      isLost = true;
      throw uncertain(path);
    }
  };
  return {
    rows: kind => {
      try {
        return session.rows(kind);
      } catch (cause) {
        throw readFault(path, cause);
      }
    },
    commit: changes => {
      if (isClosed) throw storeFault(path, new Error('it was closed'));
      if (isLost) throw uncertain(path);
      try {
        session.apply(changes);
        committed?.();
      } catch (cause) {
        const fault = storeFault(path, cause);
        if (fault.body.code === 'disk.full' || !happened(changes)) throw fault;
      }
    },
    close: () => {
      isClosed = true;
      session.db.close();
    },
  };
}

class Session {
  readonly db: Database.Database;
  readonly #select: Database.Statement<[string], { body: string }>;
  readonly #one: Database.Statement<[string, string], { body: string }>;
  readonly #apply: Database.Transaction<(changes: readonly Change[]) => void>;

  constructor(path: string, options: Pick<Database.Options, 'fileMustExist'> = {}) {
    const db = open(path, options);
    this.db = db;
    this.#select = db.prepare('SELECT body FROM row WHERE kind = ? ORDER BY rowid');
    this.#one = db.prepare('SELECT body FROM row WHERE kind = ? AND id = ?');
    const upsert = db.prepare(
      'INSERT INTO row (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body',
    );
    const remove = db.prepare('DELETE FROM row WHERE kind = ? AND id = ?');
    this.#apply = db.transaction((changes: readonly Change[]) => {
      for (const change of changes) {
        if ('drop' in change) remove.run(change.drop, change.id);
        else upsert.run(change.put, change.row.id, JSON.stringify(change.row));
      }
    });
  }

  rows<K extends RowKind>(kind: K): Row<K>[] {
    return this.#select.all(kind).map(({ body }) => ROW_SCHEMAS[kind].parse(JSON.parse(body)) as Row<K>);
  }

  apply(changes: readonly Change[]): void {
    this.#apply.immediate(changes);
  }

  /** Whether the database has these changes; of several to one row, the last. */
  has(changes: readonly Change[]): boolean {
    const last = new Map<string, { kind: string; id: string; body: string | undefined }>();
    for (const change of changes) {
      const [kind, id, body] =
        'drop' in change
          ? [change.drop, change.id, undefined]
          : [change.put, change.row.id, JSON.stringify(change.row)];
      last.set(`${kind} ${id}`, { kind, id, body });
    }
    return [...last.values()].every(({ kind, id, body }) => this.#one.get(kind, id)?.body === body);
  }
}

function open(path: string, options: Pick<Database.Options, 'fileMustExist'>): Database.Database {
  try {
    const db = new Database(path, { timeout: 5000, ...options });
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = EXTRA');
    // On macOS a plain sync leaves data in the drive's cache.
    db.pragma('fullfsync = ON');
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION)
      throw new Error(`written by a newer Ebb (schema ${version}, this one knows ${SCHEMA_VERSION})`);
    db.exec(`CREATE TABLE IF NOT EXISTS row (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
             PRAGMA user_version = ${SCHEMA_VERSION};`);
    return db;
  } catch (cause) {
    throw readFault(path, cause);
  }
}

/** A file the disk gives and nobody can make sense of: the images may still tell the timeline (T5). */
function readFault(path: string, cause: unknown): Fault {
  const code = (cause as { code?: string }).code ?? '';
  const isOurs = cause instanceof z.ZodError || cause instanceof SyntaxError;
  if (!isOurs && !/^SQLITE_(?:NOTADB|CORRUPT)/.test(code)) return storeFault(path, cause);
  return new Fault(
    {
      code: 'timeline.missing',
      what: `The timeline database ${path} is damaged and cannot be read: ${isOurs ? 'a row of it is no row of ours' : (cause as Error).message}.`,
      safe: 'Nothing was changed; every image is as it was.',
      todo: 'Put a whole copy of it back, or have it made anew from the images: ebb vm rescue VM',
      data: { isDamaged: true },
    },
    cause,
  );
}

function storeFault(path: string, cause: unknown): Fault {
  const code = (cause as { code?: string }).code ?? '';
  const isFull = code === 'SQLITE_FULL';
  return new Fault(
    {
      code: isFull ? 'disk.full' : 'disk.io',
      what: `The timeline database ${path} could not be used: ${cause instanceof Error ? cause.message : String(cause)}.`,
      safe: 'The disks themselves are not affected; the last transaction did not happen.',
      todo: isFull ? 'Free some space.' : 'Check the disk.',
    },
    cause,
  );
}
