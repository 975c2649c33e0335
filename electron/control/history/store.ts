// Schedules, and how far each has come: beside the catalog, so that a restart neither repeats nor forgets a time.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { historyStateSchema } from '../../../shared/history.ts';
import { momentIdSchema, type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { timeMsSchema } from '../../../shared/units.ts';

const storedSchema = historyStateSchema.pick({ schedule: true, last: true, lastDrop: true }).extend({
  /** The newest time that was taken or skipped. */
  settledAt: timeMsSchema.nullable(),
  /** Automatic points a person took back from the trash: those stay. */
  spared: z.array(momentIdSchema).max(5000),
});
export type StoredHistory = Readonly<z.infer<typeof storedSchema>>;

export interface HistoryStore {
  all(): (StoredHistory & { readonly vmId: VmId })[];
  get(vmId: VmId): StoredHistory | undefined;
  put(vmId: VmId, stored: StoredHistory): void;
  drop(vmId: VmId): void;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** What cannot be read is none: no points are taken rather than wrong ones dropped. */
export function openHistoryStore(db: Database.Database): HistoryStore {
  db.exec('CREATE TABLE IF NOT EXISTS history (vm TEXT PRIMARY KEY, body TEXT NOT NULL)');
  const put = db.prepare(
    'INSERT INTO history VALUES (?, ?) ON CONFLICT (vm) DO UPDATE SET body = excluded.body',
  );
  const drop = db.prepare('DELETE FROM history WHERE vm = ?');
  const all = db.prepare<[], { vm: string; body: string }>('SELECT vm, body FROM history');
  const known = new Map<VmId, StoredHistory>();
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
  };
}
