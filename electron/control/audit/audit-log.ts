// The audit's files: lines are appended and never rewritten, the newest record's number and hash are kept outside them, and
// the oldest file goes when there are too many. Owns the folder; what a record says is not its business (audit.ts).
import {
  AUDIT_PROBLEMS_MAX,
  type AuditEntry,
  type AuditHead,
  type AuditPlace,
  type AuditProblem,
  type AuditReport,
} from '../../../shared/audit.ts';
import {
  CHAIN_START,
  type ChainExpectation,
  type ChainRecord,
  decodeRecord,
  encodeRecord,
  type Sha256,
  verifyChain,
  verifyChainSlowly,
} from '../../../shared/audit-chain.ts';
import { invariant } from '../../../shared/result.ts';
import type { AppendFolder } from '../../platform/append-folder.ts';
import type { HeadStore, StoredHead } from './head-store.ts';

/** Reachable from tests alone: each makes one of them fail. */
export interface AuditSwitchOffs {
  /** The head is not asked what the last record was. */
  readonly noHead?: boolean;
  /** What a crash cut off is not closed with a newline before the next record. */
  readonly noHeal?: boolean;
}

export interface AuditLogOptions {
  readonly folder: AppendFolder;
  readonly heads: HeadStore;
  readonly sha256: Sha256;
  readonly segmentChars?: number;
  readonly segmentsMax?: number;
  readonly off?: AuditSwitchOffs;
}

/** 64 MiB of records at most: some 150,000. */
const SEGMENT_CHARS = 1024 * 1024;
const SEGMENTS_MAX = 64;
const VERIFY_TRIES = 3;
const SEGMENT = /^audit-(\d{12})\.jsonl$/;
const segmentName = (firstSeq: number): string => `audit-${String(firstSeq).padStart(12, '0')}.jsonl`;
const linesOf = (text: string): string[] => text.split('\n');

/** What an append needs to know; null: not looked at since the last failure. */
interface Tail {
  head: StoredHead;
  /** The head as it is stored: at most one record behind. */
  isHeadStored: boolean;
  segment: string | null;
  chars: number;
  isTorn: boolean;
}

export type NewEntry = Omit<AuditEntry, 'seq'>;

export class AuditLog {
  readonly #options: AuditLogOptions;
  #tail: Tail | null = null;
  /** When it was opened, a record stood beyond the head: its writer died before it was remembered, or somebody added it. */
  adopted: AuditHead | null = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Reads the newest file and what is remembered of it; answers what does not fit. Throws Fault. */
  open(): AuditProblem[] {
    const { heads, folder } = this.#options;
    const stored = heads.get();
    const segments = this.#segments();
    const name = segments.at(-1) ?? null;
    const text = name === null ? '' : folder.read(name);
    const found = this.#newestRecords(segments, text);
    const last = found.at(-1) ?? null;
    const oldest = segments[0] === undefined ? undefined : this.#recordsOf(folder.read(segments[0]))[0];
    const begun =
      oldest === undefined ? emptyHead : { ...emptyHead, firstSeq: oldest.entry.seq, firstPrev: oldest.prev };
    const known = this.#options.off?.noHead === true ? null : stored;
    const head = known ?? begun;
    const problems = this.#misfits(known, found);
    this.#tail = {
      head: last === null ? head : headAfter(head, last, known !== null && problems.length > 0),
      isHeadStored: false,
      segment: name,
      chars: text.length,
      isTorn: text !== '' && !text.endsWith('\n'),
    };
    if (known !== null) this.#removeBefore(known.firstSeq, segments);
    const { seq, hash } = this.#tail.head;
    this.adopted = known !== null && problems.length === 0 && seq > known.seq ? { seq, hash } : null;
    return problems;
  }

  /** Durable when it returns. Throws Fault: then it is not known whether the record is there. */
  append(entry: NewEntry): AuditEntry {
    if (this.#tail === null) this.open();
    const tail = this.#tail;
    invariant(tail !== null, 'the audit has been opened');
    // Two records that are not remembered could be cut off unseen.
    if (!tail.isHeadStored) this.#storeHead(tail);
    const { head } = tail;
    const record = encodeRecord({ ...entry, seq: head.seq + 1 }, head.hash, this.#options.sha256);
    this.#write(tail, record);
    tail.head = { ...head, seq: record.entry.seq, hash: record.hash };
    tail.isHeadStored = false;
    try {
      this.#storeHead(tail);
    } catch {
      // The record is durable; the next one waits until this one is remembered.
    }
    this.#rotate(tail);
    return record.entry;
  }

  get head(): StoredHead {
    return this.#tail?.head ?? this.#options.heads.get() ?? emptyHead;
  }

  /** Newest first, from before `beforeSeq`; a file at a time. */
  *newestFirst(beforeSeq: number): Generator<AuditEntry> {
    for (const name of this.#segments().reverse()) {
      if (firstSeqOf(name) >= beforeSeq) continue;
      for (const line of linesOf(this.#options.folder.read(name)).reverse()) {
        // Whether it is whole is for `verify` to say.
        const entry = decodeRecord(line, () => '')?.entry;
        if (entry !== undefined && entry.seq < beforeSeq) yield entry;
      }
    }
  }

  /** As they stand in the files, oldest first. */
  *lines(after: AuditPlace | null = null): Generator<{ readonly line: string; readonly place: AuditPlace }> {
    for (const name of this.#segments()) {
      const file = firstSeqOf(name);
      if (after !== null && file < after.file) continue;
      const given = file === after?.file ? after.line : 0;
      for (const [index, line] of linesOf(this.#options.folder.read(name)).entries())
        if (index >= given && line !== '') yield { line, place: { file, line: index + 1 } };
    }
  }

  *#texts(): Generator<string> {
    for (const { line } of this.lines()) yield line;
  }

  /** Records may be written and files go meanwhile: what then looks wrong is looked at again. */
  async verify(pause: () => Promise<void> = () => Promise.resolve()): Promise<AuditReport> {
    for (let attempt = 1; ; attempt++) {
      const { seq } = this.head;
      const report = await this.#verifyOnce(pause);
      if (report.problemCount === 0 || this.head.seq === seq) return report;
      // Somebody writes all the time: this once they wait.
      if (attempt === VERIFY_TRIES) return this.#verifyOnce(null);
    }
  }

  async #verifyOnce(pause: (() => Promise<void>) | null): Promise<AuditReport> {
    const { heads, sha256, off } = this.#options;
    const head = off?.noHead === true ? null : heads.get();
    const expectation = expectationOf(head);
    const report =
      pause === null
        ? verifyChain(this.#texts(), sha256, expectation)
        : await verifyChainSlowly(this.#texts(), sha256, expectation, pause);
    if (head !== null || report.last === null) return report;
    const { seq } = report.last;
    const headless = {
      kind: 'headless',
      fromSeq: seq,
      toSeq: seq,
      expected: 'a head',
      found: 'none',
    } as const;
    return {
      ...report,
      problemCount: report.problemCount + 1,
      problems: [headless, ...report.problems].slice(0, AUDIT_PROBLEMS_MAX),
    };
  }

  #segments(): string[] {
    return this.#options.folder
      .list()
      .filter(name => SEGMENT.test(name))
      .sort();
  }

  /** A crash may have cut off the first record of the newest file. */
  #newestRecords(segments: readonly string[], newest: string): ChainRecord[] {
    const found = this.#recordsOf(newest);
    const before = segments.at(-2);
    return found.length > 0 || before === undefined
      ? found
      : this.#newestRecords(segments.slice(0, -1), this.#options.folder.read(before));
  }

  #recordsOf(text: string): ChainRecord[] {
    return linesOf(text).flatMap(line => decodeRecord(line, this.#options.sha256) ?? []);
  }

  /** The end of the newest file against what is remembered. */
  #misfits(known: StoredHead | null, found: readonly ChainRecord[]): AuditProblem[] {
    const lines = found.map(({ entry: { seq }, hash }) => ({ seq, hash }));
    const last = lines.at(-1) ?? null;
    const tell = (
      kind: AuditProblem['kind'],
      fromSeq: number,
      toSeq: number,
      expected: string,
      is: string,
    ) => [{ kind, fromSeq, toSeq, expected, found: is }];
    if (known === null) return last === null ? [] : tell('headless', last.seq, last.seq, 'a head', 'none');
    const lastSeq = last?.seq ?? 0;
    if (lastSeq < known.seq)
      return tell(
        'truncated',
        Math.max(lastSeq + 1, known.firstSeq),
        known.seq,
        String(known.seq),
        String(lastSeq),
      );
    const same = lines.findLast(({ seq }) => seq === known.seq);
    if (same !== undefined && same.hash !== known.hash)
      return tell('changed', known.seq, lastSeq, known.hash, same.hash);
    const isNext = (record: ChainRecord) => record.prev === known.hash && record.computed === record.hash;
    // One may be there that its writer did not live to remember.
    if (lastSeq > known.seq + 1 || (lastSeq > known.seq && !found.slice(-1).every(isNext)))
      return tell('added', known.seq + 1, lastSeq, String(known.seq), String(lastSeq));
    return [];
  }

  #write(tail: Tail, { line, entry }: { readonly line: string; readonly entry: AuditEntry }): void {
    const { folder, segmentChars = SEGMENT_CHARS, off } = this.#options;
    // A file of nothing but writes that were cut off has the name that the next file would have.
    const isFull = tail.segment === null || tail.chars + line.length + 1 > segmentChars;
    const name = isFull ? segmentName(entry.seq) : (tail.segment ?? '');
    const isNew = name !== tail.segment;
    const heal = tail.isTorn && !isNew && off?.noHeal !== true ? '\n' : '';
    const text = `${heal}${line}\n`;
    try {
      folder.append(name, text);
    } catch (cause) {
      // Whether all of it, some of it or nothing is there is looked up before the next one.
      this.#tail = null;
      throw cause;
    }
    tail.chars = (isNew ? 0 : tail.chars) + text.length;
    tail.segment = name;
    tail.isTorn = false;
  }

  #storeHead(tail: Tail): void {
    this.#options.heads.put(tail.head);
    tail.isHeadStored = true;
  }

  /** The first record that is to stay is remembered before any goes. */
  #rotate(tail: Tail): void {
    const { folder, segmentsMax = SEGMENTS_MAX } = this.#options;
    const segments = this.#segments();
    const oldest = segments[segments.length - segmentsMax];
    if (segments.length <= segmentsMax || oldest === undefined) return;
    try {
      const first = this.#recordsOf(folder.read(oldest))[0];
      if (first === undefined) return;
      tail.head = { ...tail.head, firstSeq: first.entry.seq, firstPrev: first.prev };
      this.#storeHead(tail);
      this.#removeBefore(first.entry.seq, segments);
    } catch {
      // Too many for a while: the next record tries again.
    }
  }

  #removeBefore(firstSeq: number, segments: readonly string[]): void {
    for (const [index, name] of segments.entries()) {
      const next = segments[index + 1];
      if (next !== undefined && firstSeqOf(next) <= firstSeq) this.#options.folder.remove(name);
    }
  }
}

/** A number from another world is not gone on from. */
const AHEAD_MAX = 1_000_000;

/**
 * What the next record follows. Where the files end in what Ebb did not write, numbers go on after it, and the chain after
 * what Ebb wrote: it stays broken there for whoever checks it.
 */
function headAfter(head: StoredHead, { entry: { seq }, hash }: ChainRecord, isForged: boolean): StoredHead {
  if (seq < head.seq || (isForged && seq > head.seq + AHEAD_MAX)) return head;
  return { ...head, seq, hash: isForged ? head.hash : hash };
}

const firstSeqOf = (name: string): number => Number(SEGMENT.exec(name)?.[1] ?? 0);
const emptyHead: StoredHead = { seq: 0, hash: CHAIN_START, firstSeq: 1, firstPrev: CHAIN_START };

export const expectationOf = (head: StoredHead | null): ChainExpectation => ({
  head,
  first: head === null ? null : { seq: head.firstSeq, prev: head.firstPrev },
  beyondHead: 1,
});
