// `ebb audit …`: shows what was recorded, exports the records, and checks that their chain is whole.
import { createHash } from 'node:crypto';
import {
  AUDIT_LINES_MAX,
  AUDIT_PAGE_MAX,
  type AuditEntry,
  type AuditHead,
  type AuditPlace,
  type AuditReport,
  type AuditValues,
  auditHeadSchema,
  auditProblemText,
} from '../../../shared/audit.ts';
import { chainCheck } from '../../../shared/audit-chain.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { MethodResult } from '../../../shared/rpc/table.ts';
import { systemClock } from '../../platform/clock.ts';
import { readLines, writeOut } from '../../platform/standard-streams.ts';
import { EXIT_INTEGRITY } from './exits.ts';
import { table, timeText } from './output.ts';
import { type Output, type Run, type Session, vmNamed } from './session.ts';
import type { AUDIT_ROWS } from './table/audit.ts';
import { UsageError } from './values.ts';

type Rows = typeof AUDIT_ROWS;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const headText = ({ seq, hash }: AuditHead): string => `${seq}:${hash}`;

/** "minKib 1024 → 2048, point before update": a changed value as from → to, any other as it was asked for. */
export function valuesText(from: AuditValues, to: AuditValues): string {
  const words = (value: AuditValues[string] | undefined): string => (value === null ? 'none' : String(value));
  return Object.keys({ ...from, ...to })
    .filter(key => to[key] !== undefined && to[key] !== '')
    .map(key => {
      const isChange = from[key] !== undefined && from[key] !== to[key];
      return `${key} ${isChange ? `${words(from[key])} → ` : ''}${words(to[key])}`;
    })
    .join(', ');
}

const rowOf = ({
  seq,
  at,
  via,
  by,
  action,
  vmName,
  outcome,
  code,
  from,
  to,
  times,
}: AuditEntry): string[] => [
  String(seq),
  timeText(at),
  by === undefined ? via : `${via}: ${by}`,
  action,
  vmName,
  code === null ? outcome : `${outcome} (${code})`,
  `${valuesText(from, to)}${times > 1 ? ` ×${times}` : ''}`,
];
const HEAD = ['RECORD', 'AT', 'BY', 'ACTION', 'VM', 'OUTCOME', 'WHAT'];

export const showAudit: Run<Rows['audit show']> = async session => {
  const { client, given } = session;
  const vmId = given.VM === undefined ? null : (await vmNamed(session, given.VM)).spec.id;
  const { action, all, outcome = null } = given;
  const entries: AuditEntry[] = [];
  for (let beforeSeq: number | null = given.before ?? null; ; ) {
    const limit = Math.min(AUDIT_PAGE_MAX, given.limit - entries.length);
    const page = await client.call('audit.list', { beforeSeq, limit, vmId, action, outcome, all });
    entries.push(...page.entries);
    beforeSeq = page.nextBeforeSeq;
    if (beforeSeq === null || entries.length >= given.limit) break;
  }
  const text = entries.length === 0 ? 'Nothing of that kind is recorded.' : table(HEAD, entries.map(rowOf));
  return { text, json: entries };
};

async function* exported({ client }: Session, sinceMs: number): AsyncGenerator<readonly string[], AuditHead> {
  let isBegun = false;
  for (let after: AuditPlace | null = null; ; ) {
    const since = isBegun ? 0 : sinceMs;
    const page: MethodResult<Contract, 'audit.export'> = await client.call('audit.export', {
      after,
      sinceMs: since,
      limit: AUDIT_LINES_MAX,
    });
    yield page.lines;
    if (page.next === null) return page.head;
    isBegun ||= page.lines.length > 0;
    after = page.next;
  }
}

/** Always writes the lines as they stand in the files: they are checked byte by byte. */
export const exportAudit: Run<Rows['audit export']> = async session => {
  const { since } = session.given;
  const pages = exported(session, since === undefined ? 0 : Math.max(0, systemClock.wallMs() - since * 1000));
  for (;;) {
    const { done, value } = await pages.next();
    if (done) {
      console.error(
        `The newest record: ${headText(value)}. Written down elsewhere, it shows a chain made anew.`,
      );
      return { text: null, json: null };
    }
    if (value.length > 0) await writeOut(`${value.join('\n')}\n`);
  }
};

function givenHead(text: string | undefined): AuditHead | null {
  if (text === undefined) return null;
  const [seq = '', hash = ''] = text.split(':');
  const head = auditHeadSchema.safeParse({ seq: Number(seq), hash });
  if (head.success) return head.data;
  throw new UsageError('--head is the number of a record and its hash, as ebb audit export says them.');
}

export function reportOutput(report: AuditReport): Output {
  const { records, firstSeq, last, tornWrites, problems, problemCount } = report;
  const more = problemCount - problems.length;
  const torn =
    tornWrites === 0 ? '' : ` ${tornWrites} writes were cut off by a crash; nothing was answered for them.`;
  const said =
    last === null ? 'There are no records.' : `${records} records, ${firstSeq} to ${last.seq}.${torn}`;
  const text =
    problemCount === 0
      ? `OK: ${said}${last === null ? '' : ` The newest: ${headText(last)}`}`
      : [...problems.map(auditProblemText), ...(more > 0 ? [`And ${more} more.`] : []), said].join('\n');
  return { text, json: report, ...(problemCount === 0 ? {} : { exit: EXIT_INTEGRITY }) };
}

/** A check against a head noted elsewhere, which says nothing about the records after it. */
const against = (head: AuditHead | null) =>
  chainCheck(sha256, { head, first: null, beyondHead: Number.POSITIVE_INFINITY });

export const verifyAudit: Run<Rows['audit verify']> = async session => {
  const head = givenHead(session.given.head);
  if (head === null) return reportOutput(await session.client.call('audit.verify', {}));
  const check = against(head);
  for await (const lines of exported(session, 0)) for (const line of lines) check.line(line);
  return reportOutput(check.report());
};

/** Checks the records in a file, or on standard input ("-"). */
export async function verifyFile(file: string, head: string | undefined): Promise<Output> {
  const check = against(givenHead(head));
  for await (const line of readLines(file === '-' ? null : file)) check.line(line);
  return reportOutput(check.report());
}
