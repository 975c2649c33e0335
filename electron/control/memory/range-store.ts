// What a VM's range was before it was last changed: kept beside the catalog, for undoing and for trials (range-desk.ts).
import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { Log } from '../../../shared/log.ts';
import { memoryRangeSchema } from '../../../shared/memory.ts';
import { timeMsSchema } from '../../../shared/units.ts';
import { orLater, writing } from '../store/unwritten.ts';
import { openVmRows, type VmRows } from '../store/vm-rows.ts';

const storedSchema = z.object({ before: memoryRangeSchema, trialEndsAt: timeMsSchema.nullable() });
export type StoredRange = z.infer<typeof storedSchema>;

export interface RangeStore extends VmRows<StoredRange> {
  /** One transaction: the catalog's row and this one are both written, or neither. Faults: those of `put`, those of `work`. */
  together(work: () => void): void;
}

export function openRangeStore(db: Database.Database, log: Log): RangeStore {
  const rows = openVmRows<StoredRange>(db, 'memory_range', storedSchema);
  return {
    ...rows,
    together: work => {
      try {
        writing(() => db.transaction(work)());
      } catch (cause) {
        orLater(() => writing(rows.reread), 'what ranges were', log);
        throw cause;
      }
    },
  };
}
