// The audit, read through the contract.
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../../shared/audit.ts';
import { decodeRecord, type Sha256 } from '../../../shared/audit-chain.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { Params } from '../../../shared/rpc/table.ts';
import { nextTurn } from '../../platform/byte-stream.ts';
import type { Audit } from './audit.ts';
import type { AuditLog } from './audit-log.ts';

export const sha256: Sha256 = text => createHash('sha256').update(text).digest('hex');

const ENTRIES_AT_ONCE = 200;
const pause = (): Promise<void> => new Promise(nextTurn);

type Filter = Pick<Params<Contract, 'audit.list'>, 'vmId' | 'action' | 'outcome' | 'all'>;

/** Pure. A beginning is left out where its end says the same. */
export const isShown = (
  entry: AuditEntry,
  { vmId, action, outcome, all }: Filter,
  isOpen: (seq: number) => boolean,
): boolean =>
  (vmId === null || entry.vmId === vmId) &&
  entry.action.startsWith(action) &&
  (outcome === null || entry.outcome === outcome) &&
  (all || entry.outcome !== 'begun' || isOpen(entry.seq));

export function auditHandlers(audit: Audit, log: AuditLog) {
  return {
    'audit.list': async ({ beforeSeq, limit, ...filter }) => {
      const entries: AuditEntry[] = [];
      let seen = 0;
      for (const entry of log.newestFirst(beforeSeq ?? Number.MAX_SAFE_INTEGER)) {
        // A filter that little passes reads far: the memory of VMs does not wait for it.
        if (++seen % ENTRIES_AT_ONCE === 0) await pause();
        if (!isShown(entry, filter, audit.isOpen)) continue;
        // One more than asked for: there is another page.
        if (entries.length === limit)
          return { entries, nextBeforeSeq: entries.at(-1)?.seq ?? null, head: audit.head };
        entries.push(entry);
      }
      return { entries, nextBeforeSeq: null, head: audit.head };
    },
    'audit.export': ({ afterSeq, sinceMs, limit }) => {
      const lines: string[] = [];
      let lastSeq = afterSeq;
      for (const line of log.lines(afterSeq)) {
        const entry = decodeRecord(line, () => '')?.entry;
        if (entry !== undefined && (entry.seq <= afterSeq || entry.at < sinceMs)) continue;
        // What is no record stands in the files, and only whoever reads from the beginning is told it.
        if (entry === undefined && afterSeq + sinceMs > 0) continue;
        if (lines.length === limit) return { lines, nextAfterSeq: lastSeq, head: audit.head };
        lines.push(line);
        lastSeq = entry?.seq ?? lastSeq;
      }
      return { lines, nextAfterSeq: null, head: audit.head };
    },
    'audit.verify': () => log.verify(pause),
  } satisfies Partial<Handlers<Contract>>;
}
