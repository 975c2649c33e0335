// What must survive control's death: targets before they are sent (M9), leases before QEMU is spawned (M6), the ledger
// (M7). On the catalog's database; an in-memory twin for simulations.
import type Database from 'better-sqlite3';
import type { LeaseId, VmId } from '../../../shared/ids.ts';
import { type LedgerEntry, ledgerEntrySchema } from '../../../shared/memory.ts';
import type { LedgerInput } from './replay.ts';

/** Older entries are deleted. */
const LEDGER_MAX = 5000;

const INPUTS_IN_MEMORY_MAX = 1000;
/** A sequence number past every entry's. */
const END = Number.MAX_SAFE_INTEGER;

export interface StoredLease {
  readonly id: LeaseId;
  readonly vmId: VmId;
  readonly bootKib: number;
}

export interface MemoryJournal {
  target(vmId: VmId): number | null;
  putTarget(vmId: VmId, targetKib: number): void;
  dropTarget(vmId: VmId): void;
  /** QEMU's overhead as measured in any run; null: never. Kept after a stop: the next start needs it. */
  overhead(vmId: VmId): number | null;
  putOverhead(vmId: VmId, overheadKib: number): void;
  dropOverhead(vmId: VmId): void;
  leases(): StoredLease[];
  putLease(lease: StoredLease): void;
  dropLease(id: LeaseId): void;
  /** `input`: what the planner was given (null: nothing was planned); ledger input + code = same plan. */
  append(entry: LedgerEntry, input: unknown): void;
  /** Newest first; `beforeSeq`: only what is older. */
  ledger(vmId: VmId | null, limit: number, beforeSeq: number | null): LedgerEntry[];
  /** The planner's inputs of the latest entries, newest first. */
  inputs(limit: number): LedgerInput[];
  nextSeq(): number;
}

export function openMemoryJournal(db: Database.Database): MemoryJournal {
  db.exec(`CREATE TABLE IF NOT EXISTS memory_target (vm TEXT PRIMARY KEY, kib INTEGER NOT NULL);
           CREATE TABLE IF NOT EXISTS memory_overhead (vm TEXT PRIMARY KEY, kib INTEGER NOT NULL);
           CREATE TABLE IF NOT EXISTS memory_lease (id TEXT PRIMARY KEY, vm TEXT NOT NULL, kib INTEGER NOT NULL);
           CREATE TABLE IF NOT EXISTS memory_ledger (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, vms TEXT NOT NULL, input TEXT);`);
  const target = db.prepare<[string], { kib: number }>('SELECT kib FROM memory_target WHERE vm = ?');
  const put = db.prepare(
    'INSERT INTO memory_target VALUES (?, ?) ON CONFLICT (vm) DO UPDATE SET kib = excluded.kib',
  );
  const drop = db.prepare('DELETE FROM memory_target WHERE vm = ?');
  const overhead = db.prepare<[string], { kib: number }>('SELECT kib FROM memory_overhead WHERE vm = ?');
  const putOverhead = db.prepare('INSERT OR REPLACE INTO memory_overhead VALUES (?, ?)');
  const dropOverhead = db.prepare('DELETE FROM memory_overhead WHERE vm = ?');
  const leases = db.prepare<[], { id: LeaseId; vm: VmId; kib: number }>(
    'SELECT id, vm, kib FROM memory_lease',
  );
  const putLease = db.prepare('INSERT OR REPLACE INTO memory_lease VALUES (?, ?, ?)');
  const dropLease = db.prepare('DELETE FROM memory_lease WHERE id = ?');
  const append = db.prepare('INSERT INTO memory_ledger VALUES (?, ?, ?, ?)');
  const trim = db.prepare('DELETE FROM memory_ledger WHERE seq <= ?');
  const all = db.prepare<[number, number], { body: string }>(
    'SELECT body FROM memory_ledger WHERE seq < ? ORDER BY seq DESC LIMIT ?',
  );
  const some = db.prepare<[string, number, number], { body: string }>(
    'SELECT body FROM memory_ledger WHERE instr(vms, ?) > 0 AND seq < ? ORDER BY seq DESC LIMIT ?',
  );
  const inputs = db.prepare<[number], LedgerInput>(
    "SELECT seq, coalesce(input, 'null') AS json FROM memory_ledger ORDER BY seq DESC LIMIT ?",
  );
  const last = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM memory_ledger');
  return {
    target: vmId => target.get(vmId)?.kib ?? null,
    putTarget: (vmId, kib) => void put.run(vmId, kib),
    dropTarget: vmId => void drop.run(vmId),
    overhead: vmId => overhead.get(vmId)?.kib ?? null,
    putOverhead: (vmId, kib) => void putOverhead.run(vmId, kib),
    dropOverhead: vmId => void dropOverhead.run(vmId),
    leases: () => leases.all().map(({ id, vm, kib }) => ({ id, vmId: vm, bootKib: kib })),
    putLease: lease => void putLease.run(lease.id, lease.vmId, lease.bootKib),
    dropLease: id => void dropLease.run(id),
    append: (entry, input) => {
      append.run(
        entry.seq,
        JSON.stringify(entry),
        entry.moves.map(move => move.vmId).join(' '),
        JSON.stringify(input),
      );
      trim.run(entry.seq - LEDGER_MAX);
    },
    ledger: (vmId, limit, beforeSeq) =>
      (vmId === null ? all.all(beforeSeq ?? END, limit) : some.all(vmId, beforeSeq ?? END, limit)).map(row =>
        ledgerEntrySchema.parse(JSON.parse(row.body)),
      ),
    inputs: limit => inputs.all(limit),
    nextSeq: () => (last.get()?.seq ?? 0) + 1,
  };
}

/** Forgets with the process: for simulations, which keep it across simulated deaths of the manager. */
export function memoryJournalInMemory(): MemoryJournal {
  const targets = new Map<VmId, number>();
  const overheads = new Map<VmId, number>();
  const leases = new Map<LeaseId, StoredLease>();
  const entries: LedgerEntry[] = [];
  const inputs: LedgerInput[] = [];
  return {
    target: vmId => targets.get(vmId) ?? null,
    putTarget: (vmId, kib) => void targets.set(vmId, kib),
    dropTarget: vmId => void targets.delete(vmId),
    overhead: vmId => overheads.get(vmId) ?? null,
    putOverhead: (vmId, kib) => void overheads.set(vmId, kib),
    dropOverhead: vmId => void overheads.delete(vmId),
    leases: () => [...leases.values()],
    putLease: lease => void leases.set(lease.id, lease),
    dropLease: id => void leases.delete(id),
    append: (entry, input) => {
      entries.unshift(entry);
      inputs.unshift({ seq: entry.seq, json: JSON.stringify(input) });
      inputs.splice(INPUTS_IN_MEMORY_MAX);
    },
    ledger: (vmId, limit, beforeSeq) =>
      entries
        .filter(({ seq }) => seq < (beforeSeq ?? END))
        .filter(entry => vmId === null || entry.moves.some(move => move.vmId === vmId))
        .slice(0, limit),
    inputs: limit => inputs.slice(0, limit),
    nextSeq: () => (entries[0]?.seq ?? 0) + 1,
  };
}
