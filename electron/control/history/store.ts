// Stores each VM's schedule and how far it has come, in catalog.db, so that a restart neither repeats nor
// forgets a slot.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { historyStateSchema } from '../../../shared/history.ts';
import { momentIdSchema } from '../../../shared/ids.ts';
import { timeMsSchema } from '../../../shared/units.ts';
import { openVmRows, type VmRows } from '../store/vm-rows.ts';

const storedSchema = historyStateSchema.pick({ schedule: true, last: true, lastDrop: true }).extend({
  /** The newest slot whose point was taken or skipped. */
  settledAt: timeMsSchema.nullable(),
  /** Automatic points a person took back from the trash: those stay. */
  spared: z.array(momentIdSchema).max(5000),
});
export type StoredHistory = Readonly<z.infer<typeof storedSchema>>;

export type HistoryStore = VmRows<StoredHistory>;

/** A row that cannot be read counts as no schedule: better to take no points than to drop wrong ones. */
export const openHistoryStore = (db: Database.Database): HistoryStore =>
  openVmRows<StoredHistory>(db, 'history', storedSchema);
