// What a VM's range was before it was last changed: kept beside the catalog, for undoing and for trials (range-desk.ts).
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { memoryRangeSchema } from '../../../shared/memory.ts';
import { timeMsSchema } from '../../../shared/units.ts';

const storedSchema = z.object({ before: memoryRangeSchema, trialEndsAt: timeMsSchema.nullable() });
export type StoredRange = z.infer<typeof storedSchema>;

export interface RangeStore {
  all(): (StoredRange & { readonly vmId: VmId })[];
  get(vmId: VmId): StoredRange | undefined;
  put(vmId: VmId, stored: StoredRange): void;
  drop(vmId: VmId): void;
  /** Both, or neither, whoever dies in between: the catalog's row and this one. */
  together(work: () => void): void;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** What cannot be read is none. */
export function openRangeStore(db: Database.Database): RangeStore {
  db.exec('CREATE TABLE IF NOT EXISTS memory_range (vm TEXT PRIMARY KEY, body TEXT NOT NULL)');
  const put = db.prepare(
    'INSERT INTO memory_range VALUES (?, ?) ON CONFLICT (vm) DO UPDATE SET body = excluded.body',
  );
  const drop = db.prepare('DELETE FROM memory_range WHERE vm = ?');
  const all = db.prepare<[], { vm: string; body: string }>('SELECT vm, body FROM memory_range');
  const known = new Map<VmId, StoredRange>();
  for (const { vm, body } of all.all()) {
    const [vmId, stored] = [vmIdSchema.safeParse(vm), storedSchema.safeParse(parsed(body))];
    if (vmId.success && stored.success) known.set(vmId.data, stored.data);
  }
  return {
    all: () => [...known].map(([vmId, stored]) => ({ vmId, ...stored })),
    get: vmId => known.get(vmId),
    put: (vmId, stored) => {
      put.run(vmId, JSON.stringify(stored));
      known.set(vmId, stored);
    },
    drop: vmId => {
      drop.run(vmId);
      known.delete(vmId);
    },
    together: work => db.transaction(work)(),
  };
}
