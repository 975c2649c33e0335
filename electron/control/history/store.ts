// Schedules, and how far each has come: beside the catalog, so that a restart neither repeats nor forgets a time.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { historyStateSchema } from '../../../shared/history.ts';
import { momentIdSchema } from '../../../shared/ids.ts';
import { timeMsSchema } from '../../../shared/units.ts';
import { openVmRows, type VmRows } from '../store/vm-rows.ts';

const storedSchema = historyStateSchema.pick({ schedule: true, last: true, lastDrop: true }).extend({
  /** The newest time that was taken or skipped. */
  settledAt: timeMsSchema.nullable(),
  /** Automatic points a person took back from the trash: those stay. */
  spared: z.array(momentIdSchema).max(5000),
});
export type StoredHistory = Readonly<z.infer<typeof storedSchema>>;

export type HistoryStore = VmRows<StoredHistory>;

/** What cannot be read is none: no points are taken rather than wrong ones dropped. */
export const openHistoryStore = (db: Database.Database): HistoryStore =>
  openVmRows<StoredHistory>(db, 'history', storedSchema);
