// Owns the audit's files and their folder. Lines are appended and never rewritten; the newest record's number
// and hash (the head) are kept outside the files; the oldest file goes when there are too many. What a record
// says is decided elsewhere (audit.ts).
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

/** Reachable from tests alone: with each of these, one test fails. */
export interface AuditSwitchOffs {
  /** The head is not asked what the last record was. */
  readonly noHead?: boolean;
  /** A write that a crash cut off is not closed with a newline before the next record. */
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

/** What an append needs to know; null: not looked up since control began, or since the last failure. */
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
  /** A record found beyond the head: its writer died before it stored the head, or somebody added it. */
  adopted: AuditHead | null = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Reads the newest file, and answers where it does not fit the head. Throws Fault. */
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

  /** Durable when it returns. Throws Fault: then it is not known whether the record is in the file. */
  append(entry: NewEntry): AuditEntry {
    if (this.#tail === null) this.open();
    const tail = this.#tail;
    invariant(tail !== null, 'the audit has been opened');
    // The head must be at most one record behind: two records beyond it could be cut off unseen.
    if (!tail.isHeadStored) this.#storeHead(tail);
    const { head } = tail;
    const record = encodeRecord({ ...entry, seq: head.seq + 1 }, head.hash, this.#options.sha256);
    this.#write(tail, record);
    tail.head = { ...head, seq: record.entry.seq, hash: record.hash };
    tail.isHeadStored = false;
    try {
      this.#storeHead(tail);
    } catch {
      // The record is durable; the next one is written only once the head is stored.
    }
    this.#rotate(tail);
    return record.entry;
  }

  get head(): StoredHead {
    return this.#tail?.head ?? this.#options.heads.get() ?? emptyHead;
  }

  /** The records before `beforeSeq`, newest first; reads a file at a time. */
  *newestFirst(beforeSeq: number): Generator<AuditEntry> {
    for (const name of this.#segments().reverse()) {
      if (firstSeqOf(name) >= beforeSeq) continue;
      for (const line of linesOf(this.#options.folder.read(name)).reverse()) {
        // Hashes are not checked here: `verify` does that.
        const entry = decodeRecord(line, () => '')?.entry;
        if (entry !== undefined && entry.seq < beforeSeq) yield entry;
      }
    }
  }

  /** The lines as they stand in the files, oldest first. */
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

  /** Records may be written, and files go, while it reads: where something looks wrong, it reads again. */
  async verify(pause: () => Promise<void> = () => Promise.resolve()): Promise<AuditReport> {
    for (let attempt = 1; ; attempt++) {
      const { seq } = this.head;
      const report = await this.#verifyOnce(pause);
      if (report.problemCount === 0 || this.head.seq === seq) return report;
      // Records are written all the time: the last try reads without a pause, so that they wait.
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

  /** The records of the newest file that has any: a crash may have cut off the first record of a new file. */
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

  /** Compares the end of the newest file with the head. */
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
    // One record may be beyond the head: its writer died before it stored the head.
    if (lastSeq > known.seq + 1 || (lastSeq > known.seq && !found.slice(-1).every(isNext)))
      return tell('added', known.seq + 1, lastSeq, String(known.seq), String(lastSeq));
    return [];
  }

  #write(tail: Tail, { line, entry }: { readonly line: string; readonly entry: AuditEntry }): void {
    const { folder, segmentChars = SEGMENT_CHARS, off } = this.#options;
    // Where a file holds only a cut-off write, a new file would get its very name: it is no new one then.
    const isFull = tail.segment === null || tail.chars + line.length + 1 > segmentChars;
    const name = isFull ? segmentName(entry.seq) : (tail.segment ?? '');
    const isNew = name !== tail.segment;
    const heal = tail.isTorn && !isNew && off?.noHeal !== true ? '\n' : '';
    const text = `${heal}${line}\n`;
    try {
      folder.append(name, text);
    } catch (cause) {
      // All, some or none of it may be in the file: the next append opens the file again to see.
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

  /** Removes the oldest files. The first record that stays is stored before any file goes. */
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
      // There are too many files for a while: the next append tries again.
    }
  }

  #removeBefore(firstSeq: number, segments: readonly string[]): void {
    for (const [index, name] of segments.entries()) {
      const next = segments[index + 1];
      if (next !== undefined && firstSeqOf(next) <= firstSeq) this.#options.folder.remove(name);
    }
  }
}

/** Numbers do not go on from a forged record that is further ahead of the head than this. */
const AHEAD_MAX = 1_000_000;

/**
 * The head that the next record follows. Where the files end in records that Ebb did not write, its number
 * goes on after these, but its hash after the last record that Ebb wrote: so the chain stays broken there for
 * whoever checks it.
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
