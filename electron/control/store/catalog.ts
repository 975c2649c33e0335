// catalog.db: which VMs there are, and settings. Rows in, domain values out; synchronous=FULL, so that a VM that was
// answered as created exists after a power cut. What cannot be written is a fault, disk.full or disk.io. The memory journal
// lives in the same database.
import Database from 'better-sqlite3';
import * as z from 'zod';
import type { VmId } from '../../../shared/ids.ts';
import { memoryModeSchema } from '../../../shared/memory.ts';
import { Fault, messageOf } from '../../../shared/result.ts';
import { kibSchema } from '../../../shared/units.ts';
import { type VmSpec, vmSpecSchema } from '../../../shared/vm.ts';
import { writing } from './unwritten.ts';

/** What people set of the memory policy; the rest is built in, recommended or set by IT. */
export const memoryPolicySchema = z.object({
  mode: memoryModeSchema.optional(),
  reserveKib: kibSchema.optional(),
  budgetKib: kibSchema.nullable().optional(),
  capKib: kibSchema.nullable().optional(),
});
export type StoredMemoryPolicy = z.infer<typeof memoryPolicySchema>;

export interface Catalog {
  readonly db: Database.Database;
  all(): VmSpec[];
  get(vmId: VmId): VmSpec | undefined;
  put(spec: VmSpec): void;
  remove(vmId: VmId): void;
  /** Reads all rows again, to forget what a transaction that failed had put. */
  reread(): void;
  memoryPolicy(): StoredMemoryPolicy | null;
  putMemoryPolicy(policy: StoredMemoryPolicy): void;
  close(): void;
}

export function openCatalog(path: string): Catalog {
  const db = open(path);
  const select = db.prepare<[], { body: string }>('SELECT body FROM vm ORDER BY rowid');
  const upsert = db.prepare(
    'INSERT INTO vm (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
  );
  const remove = db.prepare('DELETE FROM vm WHERE id = ?');
  const setting = db.prepare<[string], { body: string }>('SELECT body FROM setting WHERE name = ?');
  const putSetting = db.prepare(
    'INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body',
  );
  const specs = new Map<VmId, VmSpec>();
  const reread = (): void => {
    // Read before anything is forgotten: without its specs every VM would be gone.
    const found = select.all().map(({ body }) => vmSpecSchema.parse(JSON.parse(body)));
    specs.clear();
    for (const spec of found) specs.set(spec.id, spec);
  };
  reread();
  return {
    db,
    reread,
    all: () => [...specs.values()],
    get: vmId => specs.get(vmId),
    put: spec => {
      writing(() => upsert.run(spec.id, JSON.stringify(spec)));
      specs.set(spec.id, spec);
    },
    remove: vmId => {
      writing(() => remove.run(vmId));
      specs.delete(vmId);
    },
    memoryPolicy: () => {
      const row = setting.get('memory-policy');
      const parsed = row === undefined ? null : memoryPolicySchema.safeParse(JSON.parse(row.body));
      return parsed?.success === true ? parsed.data : null;
    },
    putMemoryPolicy: policy => void writing(() => putSetting.run('memory-policy', JSON.stringify(policy))),
    close: () => db.close(),
  };
}

function open(path: string): Database.Database {
  try {
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec(`CREATE TABLE IF NOT EXISTS vm (id TEXT PRIMARY KEY, body TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, body TEXT NOT NULL);`);
    return db;
  } catch (cause) {
    throw new Fault(
      {
        code: 'disk.io',
        what: `The catalog ${path} could not be opened: ${messageOf(cause)}.`,
        safe: 'No VM was touched; their folders are whole.',
        todo: "Check the disk and the file's owner.",
      },
      cause,
    );
  }
}
