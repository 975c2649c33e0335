// The audit as the contract speaks of it: who changed what, when, from what to what, and how it ended.
import * as z from 'zod';
import { taskIdSchema, vmIdSchema } from './ids.ts';
import { timeMsSchema } from './units.ts';

export const auditValuesSchema = z.record(
  z.string().max(40),
  z.union([z.string().max(400), z.number(), z.boolean(), z.null()]),
);
export type AuditValues = z.infer<typeof auditValuesSchema>;

/** `service`: Ebb by itself, not on a caller's request. */
export const auditViaSchema = z.enum(['local', 'browser', 'service']);
/** `begun` is written before a change is made; a second record always follows, with how the change ended. */
export const auditOutcomeSchema = z.enum([
  'begun',
  'done',
  'refused',
  'denied',
  'failed',
  'cancelled',
  'unknown',
]);
export type AuditOutcome = z.infer<typeof auditOutcomeSchema>;

export const auditEntrySchema = z.object({
  seq: z.int().min(1),
  at: timeMsSchema,
  via: auditViaSchema,
  /** The account on this computer that Ebb runs under. */
  user: z.string().max(100),
  /** The name of the token a browser signed in with. Absent: the caller has no name. */
  by: z.string().max(40).optional(),
  /** A method of the contract, or what Ebb did by itself. */
  action: z.string().max(64),
  vmId: vmIdSchema.nullable(),
  /** The VM's name at that time. */
  vmName: z.string().max(200),
  outcome: auditOutcomeSchema,
  /** In the record of an ending: the number of the record of its beginning. Null otherwise. */
  of: z.int().min(1).nullable(),
  task: taskIdSchema.nullable(),
  from: auditValuesSchema,
  to: auditValuesSchema,
  /** Why it was refused or failed. */
  code: z.string().max(64).nullable(),
  /** How many denials of the same kind this record stands for: those of a minute are told as one. */
  times: z.int().min(1),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const sha256HexSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
export const auditHeadSchema = z.object({ seq: z.int().min(0), hash: sha256HexSchema });
export type AuditHead = z.infer<typeof auditHeadSchema>;

/** How far an export has come: the file, by its first record's number, and how many lines were given. */
export const auditPlaceSchema = z.strictObject({ file: z.int().min(0), line: z.int().min(0) });
export type AuditPlace = z.infer<typeof auditPlaceSchema>;

/** One break of the chain, and its records. `expected` and `found` are hashes or record numbers. */
export const auditProblemSchema = z.object({
  kind: z.enum(['changed', 'removed', 'moved', 'repeated', 'truncated', 'added', 'headless']),
  fromSeq: z.int().min(0),
  toSeq: z.int().min(0),
  expected: z.string().max(100),
  found: z.string().max(100),
});
export type AuditProblem = z.infer<typeof auditProblemSchema>;

export const AUDIT_PROBLEMS_MAX = 100;
export const auditReportSchema = z.object({
  records: z.int().min(0),
  firstSeq: z.int().min(0),
  last: auditHeadSchema.nullable(),
  /** Records that a crash cut off while they were written: their callers never got an answer. */
  tornWrites: z.int().min(0),
  /** At most the first AUDIT_PROBLEMS_MAX; `problemCount` counts all. */
  problems: z.array(auditProblemSchema).max(AUDIT_PROBLEMS_MAX),
  problemCount: z.int().min(0),
});
export type AuditReport = z.infer<typeof auditReportSchema>;

export const AUDIT_PAGE_MAX = 200;
export const AUDIT_LINES_MAX = 500;

const quoted = (hash: string): string => (hash.length === 64 ? `${hash.slice(0, 12)}…` : hash);
const records = ({ fromSeq, toSeq }: AuditProblem): string =>
  fromSeq === toSeq ? `record ${fromSeq}` : `records ${fromSeq} to ${toSeq}`;

/** A sentence for a terminal. */
export function auditProblemText(problem: AuditProblem): string {
  const expected = quoted(problem.expected);
  const found = quoted(problem.found);
  switch (problem.kind) {
    case 'changed':
      return `Chain broken at ${records(problem)}: it was changed or replaced (expected ${expected}, found ${found}).`;
    case 'removed':
      return `Chain broken at ${records(problem)}: removed (expected ${expected}, found ${found}).`;
    case 'moved':
      return `Chain broken at ${records(problem)}: out of its place (expected ${expected}, found ${found}).`;
    case 'repeated':
      return `Chain broken at ${records(problem)}: there a second time (expected ${expected}, found ${found}).`;
    case 'truncated':
      return `Chain cut off: ${records(problem)} missing at the end (expected ${expected} last, found ${found}).`;
    case 'added':
      return `Chain too long: ${records(problem)} were added by somebody else than Ebb (expected ${expected} last, found ${found}).`;
    case 'headless':
      return `Nobody remembers how long the chain was: whether records are missing after record ${problem.toSeq} cannot be told.`;
  }
}
