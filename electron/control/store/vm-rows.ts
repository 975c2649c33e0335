// Tables in the catalog's database in which parts of control keep what they know of each VM: one row of JSON
// per VM.
import type Database from 'better-sqlite3';
import type * as z from 'zod';
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { writing } from './unwritten.ts';

export interface VmRows<T> {
  all(): (T & { readonly vmId: VmId })[];
  get(vmId: VmId): T | undefined;
  /** Faults: disk.full, disk.io, host.permission; so of `drop`. */
  put(vmId: VmId, row: T): void;
  drop(vmId: VmId): void;
  /** Reads all rows again, to forget what a transaction that failed had put. */
  reread(): void;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** `table` goes into SQL as it is: never a stranger's word. A row that cannot be read counts as none. */
export function openVmRows<T extends object>(
  db: Database.Database,
  table: string,
  schema: z.ZodType<T>,
): VmRows<T> {
  db.exec(`CREATE TABLE IF NOT EXISTS ${table} (vm TEXT PRIMARY KEY, body TEXT NOT NULL)`);
  const put = db.prepare(
    `INSERT INTO ${table} VALUES (?, ?) ON CONFLICT (vm) DO UPDATE SET body = excluded.body`,
  );
  const drop = db.prepare(`DELETE FROM ${table} WHERE vm = ?`);
  const all = db.prepare<[], { vm: string; body: string }>(`SELECT vm, body FROM ${table}`);
  const known = new Map<VmId, T>();
  const reread = (): void => {
    const rows = all.all();
    known.clear();
    for (const { vm, body } of rows) {
      const [vmId, row] = [vmIdSchema.safeParse(vm), schema.safeParse(parsed(body))];
      if (vmId.success && row.success) known.set(vmId.data, row.data);
    }
  };
  reread();
  return {
    reread,
    all: () => [...known].map(([vmId, row]) => ({ vmId, ...row })),
    get: vmId => known.get(vmId),
    put: (vmId, row) => {
      writing(() => put.run(vmId, JSON.stringify(row)));
      known.set(vmId, row);
    },
    drop: vmId => {
      writing(() => drop.run(vmId));
      known.delete(vmId);
    },
  };
}
