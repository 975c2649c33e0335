// Stores tokens and sessions in catalog.db: hashes, never secrets. Sessions outlive control: a browser that
// is signed in stays so when control is replaced.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import {
  accessNameSchema,
  roleSchema,
  type SessionId,
  sessionIdSchema,
  type TokenId,
  tokenIdSchema,
} from '../../../shared/access.ts';
import { timeMsSchema } from '../../../shared/units.ts';

const tokenSchema = z.object({
  id: tokenIdSchema,
  hash: z.string(),
  /** Null: a link, good for one sign-in. */
  name: accessNameSchema.nullable(),
  role: roleSchema,
  createdAt: timeMsSchema,
  expiresAt: timeMsSchema.nullable(),
  lastUsedAt: timeMsSchema.nullable(),
});
export type StoredToken = z.infer<typeof tokenSchema>;

const sessionSchema = z.object({
  id: sessionIdSchema,
  hash: z.string(),
  /** Null: the session came by a link, which is gone. */
  tokenId: tokenIdSchema.nullable(),
  user: z.string(),
  role: roleSchema,
  address: z.string(),
  agent: z.string(),
  since: timeMsSchema,
  lastSeenAt: timeMsSchema,
});
export type StoredSession = z.infer<typeof sessionSchema>;

export interface AccessStore {
  tokens(): StoredToken[];
  putToken(token: StoredToken): void;
  dropToken(id: TokenId): void;
  sessions(): StoredSession[];
  putSession(session: StoredSession): void;
  dropSession(id: SessionId): void;
}

export function openAccessStore(db: Database.Database): AccessStore {
  db.exec(`CREATE TABLE IF NOT EXISTS access_token (id TEXT PRIMARY KEY, body TEXT NOT NULL);
           CREATE TABLE IF NOT EXISTS access_session (id TEXT PRIMARY KEY, body TEXT NOT NULL);`);
  const table = <S extends z.ZodType<{ id: string }>>(name: string, schema: S) => {
    const all = db.prepare<[], { body: string }>(`SELECT body FROM ${name} ORDER BY rowid`);
    const put = db.prepare(
      `INSERT INTO ${name} VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`,
    );
    const drop = db.prepare(`DELETE FROM ${name} WHERE id = ?`);
    return {
      all: () => all.all().flatMap(({ body }) => parsed(schema, body)),
      put: (row: z.infer<S>) => void put.run(row.id, JSON.stringify(row)),
      drop: (id: string) => void drop.run(id),
    };
  };
  const [tokens, sessions] = [table('access_token', tokenSchema), table('access_session', sessionSchema)];
  return {
    tokens: tokens.all,
    putToken: tokens.put,
    dropToken: tokens.drop,
    sessions: sessions.all,
    putSession: sessions.put,
    dropSession: sessions.drop,
  };
}

/** A row that cannot be read counts as none, and lets nobody in. */
function parsed<S extends z.ZodType>(schema: S, body: string): z.infer<S>[] {
  try {
    return [schema.parse(JSON.parse(body))];
  } catch {
    return [];
  }
}
