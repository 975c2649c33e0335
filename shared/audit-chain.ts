// The audit's hash chain, pure. A record is one line of JSON. Its last field, `hash`, is the SHA-256 of
// everything before that field; `prev` is the hash of the record before. The lines alone suffice to check the
// chain: no service is needed.
import * as z from 'zod';
import {
  AUDIT_PROBLEMS_MAX,
  type AuditEntry,
  type AuditHead,
  type AuditProblem,
  type AuditReport,
  auditEntrySchema,
  auditProblemSchema,
  sha256HexSchema,
} from './audit.ts';

export type Sha256 = (text: string) => string;

/** `prev` of the first record. */
export const CHAIN_START = '0'.repeat(64);
export const RECORD_CHARS_MAX = 32 * 1024;

const recordSchema = auditEntrySchema.extend({ v: z.literal(1), prev: sha256HexSchema });

export interface ChainRecord {
  readonly entry: AuditEntry;
  readonly prev: string;
  /** The hash the line states. */
  readonly hash: string;
  /** The hash of the line's content: differs from `hash` where the line was changed. */
  readonly computed: string;
}

/** `line` carries no newline. */
export function encodeRecord(
  entry: AuditEntry,
  prev: string,
  sha256: Sha256,
): ChainRecord & { line: string } {
  const body = JSON.stringify({ v: 1, ...auditEntrySchema.parse(entry), prev });
  const hash = sha256(body);
  return { entry, prev, hash, computed: hash, line: `${body.slice(0, -1)},"hash":"${hash}"}` };
}

/** Null: the line is no record, or only a part of one. */
export function decodeRecord(line: string, sha256: Sha256): ChainRecord | null {
  if (line.length > RECORD_CHARS_MAX) return null;
  const [, start, hash] = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/s.exec(line) ?? [];
  if (start === undefined || hash === undefined) return null;
  const body = `${start}}`;
  try {
    const { v: _, prev, ...entry } = recordSchema.parse(JSON.parse(body));
    return { entry, prev, hash, computed: sha256(body) };
  } catch {
    return null;
  }
}

export interface ChainExpectation {
  /** The last record, as remembered outside the audit's files. Null: nobody remembers it. */
  readonly head: AuditHead | null;
  /** The first record: rotation removed those before it. Null: the lines are an excerpt. */
  readonly first: { readonly seq: number; readonly prev: string } | null;
  /** How many records may stand after the head: written, but the head was not remembered yet. */
  readonly beyondHead: number;
}

/** Missing records that are remembered one by one, over all gaps: a bound on memory. */
const MISSING_MAX = 1_000_000;

/**
 * The problem that Ebb found at an earlier start and recorded: it is reported for as long as that record
 * stands, even if the old lines are put back. Null for `truncated`: the gap in the numbers reports that one.
 */
function damageSaid({ action, via, to }: AuditEntry): AuditProblem | null {
  if (action !== 'audit.damaged' || via !== 'service') return null;
  const { success, data } = auditProblemSchema.safeParse(to);
  return success && data.kind !== 'truncated' ? data : null;
}

class ChainCheck {
  readonly #sha256: Sha256;
  readonly problems: AuditProblem[] = [];
  problemCount = 0;
  records = 0;
  tornWrites = 0;
  firstSeq = 0;
  lastSeq = 0;
  /** Hashes the next record may carry as `prev`: the stated and the computed one of the last. Empty: any. */
  #prevs: readonly string[] = [];
  readonly #missing = new Set<number>();
  #unreadable = 0;
  readonly hashes = new Map<number, string>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  tell(kind: AuditProblem['kind'], fromSeq: number, toSeq: number, expected: string, found: string): void {
    this.problemCount++;
    if (this.problems.length < AUDIT_PROBLEMS_MAX)
      this.problems.push({ kind, fromSeq, toSeq, expected, found });
  }

  line(text: string, first: ChainExpectation['first'], keep: number | null): void {
    if (text === '') return;
    const record = decodeRecord(text, this.#sha256);
    if (record === null) {
      this.#unreadable++;
      return;
    }
    this.records++;
    const { seq } = record.entry;
    if (seq === keep) this.hashes.set(seq, record.hash);
    const isChanged = record.computed !== record.hash;
    if (this.firstSeq === 0 && !this.#begin(record, first, isChanged)) return;
    // A changed record's number is not believed either: it counts as the next in order.
    if (isChanged) this.#changed(record);
    else if (seq === this.lastSeq + 1) this.#next(record);
    else if (seq > this.lastSeq) this.#after(record);
    else this.#late(record);
  }

  /** False: an excerpt begins with a changed record, whose number is not believed; the next one's is. */
  #begin({ entry, prev, hash, computed }: ChainRecord, first: ChainExpectation['first'], isChanged: boolean) {
    if (first === null && isChanged) {
      this.tell('changed', entry.seq, entry.seq, computed, hash);
      this.#prevs = [hash, computed];
      return false;
    }
    this.firstSeq = entry.seq;
    this.lastSeq = Math.min(entry.seq, first?.seq ?? entry.seq) - 1;
    if (entry.seq === first?.seq && prev !== first.prev && !isChanged)
      this.tell('changed', entry.seq, entry.seq, first.prev, prev);
    return true;
  }

  #changed({ entry, hash, computed }: ChainRecord): void {
    const at = this.lastSeq + 1;
    this.tell('changed', at, at, computed, hash);
    this.#unreadable = 0;
    this.lastSeq = at;
    this.#missing.delete(entry.seq);
    this.#prevs = [hash, computed];
  }

  #next(record: ChainRecord): void {
    const { entry, prev } = record;
    const said = damageSaid(entry);
    if (said !== null) this.tell(said.kind, said.fromSeq, said.toSeq, said.expected, said.found);
    else if (this.#prevs.length > 0 && !this.#prevs.includes(prev))
      this.tell('changed', entry.seq - 1, entry.seq - 1, prev, this.#prevs[0] ?? '');
    // No number is missing, so the unreadable lines before this record are writes that a crash cut off.
    this.tornWrites += this.#unreadable;
    this.#unreadable = 0;
    this.#step(record);
  }

  #after(record: ChainRecord): void {
    const { seq } = record.entry;
    const from = this.lastSeq + 1;
    const lost = Math.min(this.#unreadable, seq - from);
    if (lost > 0) this.tell('changed', from, from + lost - 1, 'a record', 'something unreadable');
    this.#unreadable = 0;
    // A forged number may be huge: the gap is told as one problem, not listed record by record.
    if (seq - from + this.#missing.size > MISSING_MAX)
      this.tell('removed', from, seq - 1, String(from), String(seq));
    else for (let missing = from + lost; missing < seq; missing++) this.#missing.add(missing);
    this.#step(record);
  }

  #late({ entry: { seq } }: ChainRecord): void {
    const kind = this.#missing.delete(seq) ? 'moved' : 'repeated';
    this.tell(kind, seq, seq, String(this.lastSeq + 1), String(seq));
  }

  #step({ entry, hash }: ChainRecord): void {
    this.lastSeq = entry.seq;
    this.#prevs = [hash];
  }

  lastHash(): string {
    return this.#prevs[0] ?? CHAIN_START;
  }

  /** Tells the records that are still missing, one problem for each unbroken run of numbers. */
  #removed(): void {
    let from: number | null = null;
    for (const seq of [...this.#missing].sort((a, b) => a - b)) {
      if (from === null) from = seq;
      if (this.#missing.has(seq + 1)) continue;
      this.tell('removed', from, seq, String(from), String(seq + 1));
      from = null;
    }
  }

  end({ head, beyondHead }: ChainExpectation): void {
    this.#removed();
    if (head === null) return;
    const { lastSeq } = this;
    if (lastSeq < head.seq) {
      // Unreadable lines at the end count as the first of the records missing there.
      const lost = Math.min(this.#unreadable, head.seq - lastSeq);
      if (lost > 0) this.tell('changed', lastSeq + 1, lastSeq + lost, 'a record', 'something unreadable');
      if (lastSeq + lost < head.seq)
        this.tell('truncated', lastSeq + lost + 1, head.seq, String(head.seq), String(lastSeq + lost));
      return;
    }
    this.tornWrites += this.#unreadable;
    const found = head.seq === 0 ? head.hash : this.hashes.get(head.seq);
    if (found !== undefined && found !== head.hash)
      this.tell('changed', head.seq, head.seq, head.hash, found);
    if (lastSeq > head.seq + beyondHead)
      this.tell('added', head.seq + 1, lastSeq, String(head.seq), String(lastSeq));
  }
}

/** Checks all lines at once. They come in the order of the files, oldest first. */
export function verifyChain(
  lines: Iterable<string>,
  sha256: Sha256,
  expectation: ChainExpectation,
): AuditReport {
  const check = chainCheck(sha256, expectation);
  for (const line of lines) check.line(line);
  return check.report();
}

/** The same check, fed line by line; no line is kept. */
export function chainCheck(sha256: Sha256, expectation: ChainExpectation) {
  const check = new ChainCheck(sha256);
  return {
    line: (line: string): void => check.line(line, expectation.first, expectation.head?.seq ?? null),
    report: (): AuditReport => reportOf(check, expectation),
  };
}

const LINES_AT_ONCE = 100;

/** The same check for a process that must stay responsive: it pauses every LINES_AT_ONCE lines. */
export async function verifyChainSlowly(
  lines: Iterable<string>,
  sha256: Sha256,
  expectation: ChainExpectation,
  pause: () => Promise<void>,
): Promise<AuditReport> {
  const check = chainCheck(sha256, expectation);
  let count = 0;
  for (const line of lines) {
    check.line(line);
    if (++count % LINES_AT_ONCE === 0) await pause();
  }
  return check.report();
}

function reportOf(check: ChainCheck, expectation: ChainExpectation): AuditReport {
  if (check.firstSeq === 0 && expectation.head !== null && expectation.first !== null)
    check.lastSeq = expectation.first.seq - 1;
  check.end(expectation);
  const { records, firstSeq, lastSeq, tornWrites, problems, problemCount } = check;
  const last = records === 0 ? null : { seq: lastSeq, hash: check.lastHash() };
  return { records, firstSeq, last, tornWrites, problems, problemCount };
}
