// Stores what is kept of the audit outside its files, in catalog.db: which record is the newest, which the
// oldest, and which changes have begun and not ended.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import {
  type AuditEntry,
  auditEntrySchema,
  auditHeadSchema,
  sha256HexSchema,
} from '../../../shared/audit.ts';

export const storedHeadSchema = auditHeadSchema.extend({
  /** The oldest record that is kept, and the hash it names as that of the record before it. */
  firstSeq: z.int().min(1),
  firstPrev: sha256HexSchema,
});
export type StoredHead = z.infer<typeof storedHeadSchema>;

export interface HeadStore {
  /** Null: no head is stored, or it cannot be read. */
  get(): StoredHead | null;
  /** Durable. */
  put(head: StoredHead): void;
  /** The records of beginnings whose ends are not written. */
  open(): AuditEntry[];
  addOpen(entry: AuditEntry): void;
  dropOpen(seq: number): void;
}

export function openHeadStore(db: Database.Database): HeadStore {
  db.exec(`CREATE TABLE IF NOT EXISTS audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
           CREATE TABLE IF NOT EXISTS audit_open (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);`);
  const get = db.prepare<[], { body: string }>('SELECT body FROM audit_head');
  const put = db.prepare('INSERT OR REPLACE INTO audit_head VALUES (1, ?)');
  const open = db.prepare<[], { body: string }>('SELECT body FROM audit_open ORDER BY seq');
  const addOpen = db.prepare('INSERT OR REPLACE INTO audit_open VALUES (?, ?)');
  const dropOpen = db.prepare('DELETE FROM audit_open WHERE seq = ?');
  return {
    get: () => parsed(storedHeadSchema, get.get()?.body),
    put: head => void put.run(JSON.stringify(head)),
    open: () => open.all().flatMap(({ body }) => parsed(auditEntrySchema, body) ?? []),
    addOpen: entry => void addOpen.run(entry.seq, JSON.stringify(entry)),
    dropOpen: seq => void dropOpen.run(seq),
  };
}

function parsed<S extends z.ZodType>(schema: S, body: string | undefined): z.infer<S> | null {
  try {
    return body === undefined ? null : schema.parse(JSON.parse(body));
  } catch {
    return null;
  }
}
