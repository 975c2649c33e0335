// Stores the memory history of days, in the catalog's database: figures for a chart. A row that cannot be
// written or read is logged and left out, because only the chart misses it.
import type Database from 'better-sqlite3';
import { type MemorySample, memorySampleSchema } from '../../../shared/memory.ts';
import type { HistoryRows } from './histories.ts';

export function openHistoryRows(db: Database.Database, log: (line: string) => void): HistoryRows {
  db.exec(`CREATE TABLE IF NOT EXISTS memory_history (vm TEXT NOT NULL, period INTEGER NOT NULL, at INTEGER NOT NULL,
           target INTEGER, actual INTEGER, used INTEGER, PRIMARY KEY (vm, period, at)) WITHOUT ROWID`);
  const load = db.prepare<[string, number], MemorySample>(
    `SELECT at, target AS targetKib, actual AS actualKib, used AS usedKib FROM memory_history
     WHERE vm = ? AND period = ? ORDER BY at`,
  );
  const add = db.prepare('INSERT OR REPLACE INTO memory_history VALUES (?, ?, ?, ?, ?, ?)');
  const trim = db.prepare('DELETE FROM memory_history WHERE vm = ? AND period = ? AND at < ?');
  const dropAfter = db.prepare('DELETE FROM memory_history WHERE vm = ? AND at > ?');
  const drop = db.prepare('DELETE FROM memory_history WHERE vm = ?');
  const append = db.transaction((vmId: string, periodMs: number, sample: MemorySample, sinceMs: number) => {
    add.run(vmId, periodMs, sample.at, sample.targetKib, sample.actualKib, sample.usedKib);
    trim.run(vmId, periodMs, sinceMs);
  });
  const tried = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (cause) {
      log(`memory history: ${String(cause)}`);
      return otherwise;
    }
  };
  const isSample = (row: MemorySample): boolean => memorySampleSchema.safeParse(row).success;
  return {
    load: (vmId, periodMs) => tried(() => load.all(vmId, periodMs).filter(isSample), []),
    append: (...given) => tried(() => void append(...given), undefined),
    dropAfter: (...given) => tried(() => void dropAfter.run(...given), undefined),
    drop: vmId => tried(() => void drop.run(vmId), undefined),
  };
}
