// The contract's handlers that read the audit.
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../../shared/audit.ts';
import { decodeRecord, RECORD_CHARS_MAX, type Sha256 } from '../../../shared/audit-chain.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { Params } from '../../../shared/rpc/table.ts';
import { nextTurn } from '../../platform/byte-stream.ts';
import type { Audit } from './audit.ts';
import type { AuditLog } from './audit-log.ts';

export const sha256: Sha256 = text => createHash('sha256').update(text).digest('hex');

const ENTRIES_AT_ONCE = 200;
/** Lines that one call of an export reads: so it ends, and its answer fits into a frame. */
const LINES_SEEN_MAX = 2000;
const PAGE_CHARS = 1024 * 1024;
const pause = (): Promise<void> => new Promise(nextTurn);

type Filter = Pick<Params<Contract, 'audit.list'>, 'vmId' | 'action' | 'outcome' | 'all'>;

/** Pure. The record of a beginning is left out where the end is recorded, too: that says the same. */
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
        // A filter that few records pass reads far: the balancing of memory must not wait for it.
        if (++seen % ENTRIES_AT_ONCE === 0) await pause();
        if (!isShown(entry, filter, audit.isOpen)) continue;
        // One more than asked for: there is another page.
        if (entries.length === limit)
          return { entries, nextBeforeSeq: entries.at(-1)?.seq ?? null, head: audit.head };
        entries.push(entry);
      }
      return { entries, nextBeforeSeq: null, head: audit.head };
    },
    'audit.export': ({ after, sinceMs, limit }) => {
      const lines: string[] = [];
      let [next, seen, chars, isBegun] = [after, 0, 0, sinceMs === 0];
      for (const { line, place } of log.lines(after)) {
        const isFull = lines.length === limit || seen === LINES_SEEN_MAX || chars > PAGE_CHARS;
        if (isFull) return { lines, next, head: audit.head };
        seen++;
        next = place;
        isBegun ||= (decodeRecord(line, () => '')?.entry.at ?? 0) >= sinceMs;
        if (!isBegun) continue;
        lines.push(line.length > RECORD_CHARS_MAX ? `${line.slice(0, RECORD_CHARS_MAX)}…` : line);
        chars += Math.min(line.length, RECORD_CHARS_MAX);
      }
      return { lines, next: null, head: audit.head };
    },
    'audit.verify': () => log.verify(pause),
  } satisfies Partial<Handlers<Contract>>;
}
