// A policy file: its form, and how its text is read. Pure: control reads files by this, and so does
// `ebb policy validate`, which needs no service.
import * as z from 'zod';
import { messageOf } from '../result.ts';
import { readAmount, sayAmount } from './amount.ts';
import { isPolicyKey, keyRow, type Part, type PolicyKey, type PolicyKeyRow } from './keys.ts';
import { type Scan, saidTwice, scanJson } from './scan.ts';

export const POLICY_VERSION = 1;
export const FILE_BYTES_MAX = 256 * 1024;
const DEPTH_MAX = 6;
const REASON_MAX = 200;
const WORDS_MAX = 64;

export type Layer = 'managed' | 'recommended';

/** What one file says of one key, parsed: amounts are KiB, bytes or counts, by the kind of the key. */
export interface Rule {
  readonly key: PolicyKey;
  readonly line: number;
  readonly value: number | boolean | string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly allowed: readonly string[] | null;
  readonly reason: string;
}

export const problemSchema = z.object({
  line: z.int().min(0),
  /** `error`: the file's meaning is not fully known. `warning`: that part is ignored. */
  severity: z.enum(['error', 'warning']),
  what: z.string().max(500),
});
export type Problem = z.infer<typeof problemSchema>;

export interface PolicyFile {
  readonly organization: string;
  readonly contact: string;
  readonly rules: readonly Rule[];
}
export interface ReadFile {
  /** Null: nothing in the file could be understood. */
  readonly file: PolicyFile | null;
  readonly problems: readonly Problem[];
}

const headSchema = z.object({
  policyVersion: z.literal(POLICY_VERSION),
  organization: z.string().max(80).default(''),
  contact: z.string().max(200).default(''),
  settings: z.record(z.string(), z.unknown()).default({}),
});
const HEAD = ['$schema', ...Object.keys(headSchema.shape)];

export const hasErrors = (problems: readonly Problem[]): boolean =>
  problems.some(({ severity }) => severity === 'error');

const failed = (line: number, what: string): ReadFile => ({
  file: null,
  problems: [{ line, severity: 'error', what }],
});

export function readPolicyFile(text: string, layer: Layer): ReadFile {
  if (text.length > FILE_BYTES_MAX) return failed(0, `It is larger than ${FILE_BYTES_MAX / 1024} KiB.`);
  const scan = scanJson(text);
  if (scan.depth > DEPTH_MAX) return failed(0, `It is nested deeper than ${DEPTH_MAX} levels.`);
  const json = parsed(text);
  if ('problem' in json) return failed(json.line, json.problem);
  const twice = saidTwice(scan.keys);
  if (twice !== null) return failed(twice.line, `"${twice.path.at(-1)}" stands there twice.`);
  const head = headSchema.safeParse(json.value);
  if (!head.success) return failed(...headProblem(head.error, scan));
  const { organization, contact, settings } = head.data;
  const problems: Problem[] = unknownHead(scan);
  const rules = Object.entries(settings).flatMap(([name, said]) => {
    const line = lineOf(scan, ['settings', name]);
    const read = readRule(name, said, line, layer);
    if ('severity' in read) problems.push(read);
    return 'severity' in read ? [] : [read];
  });
  return { file: { organization, contact, rules }, problems };
}

const lineOf = ({ keys }: Scan, path: readonly string[]): number =>
  keys.find(key => JSON.stringify(key.path) === JSON.stringify(path))?.line ?? 1;

function parsed(
  text: string,
): { readonly value: unknown } | { readonly problem: string; readonly line: number } {
  try {
    return { value: JSON.parse(text) };
  } catch (cause) {
    const what = messageOf(cause);
    const at = Number(/position (\d+)/.exec(what)?.[1] ?? text.length);
    const line = text.slice(0, at).split('\n').length;
    return { problem: `It is not JSON: ${what.replace(/[\n\r]/g, ' ').slice(0, 300)}.`, line };
  }
}

function headProblem(error: z.ZodError, scan: Scan): [number, string] {
  const [issue] = error.issues;
  const path = issue?.path.map(String) ?? [];
  const what = `${path.length === 0 ? 'The file' : path.join('.')}: ${issue?.message ?? 'is not as it should be'}.`;
  return [lineOf(scan, path), what.slice(0, 500)];
}

const unknownHead = ({ keys }: Scan): Problem[] =>
  keys
    .filter(({ path: [name = '', ...more] }) => more.length === 0 && !HEAD.includes(name))
    .map(({ path: [name], line }) => ({
      line,
      severity: 'warning',
      what: `"${name?.slice(0, 100)}" means nothing here; it is not looked at.`,
    }));

const PARTS: readonly Part[] = ['value', 'min', 'max', 'allowed'];

function readRule(name: string, said: unknown, line: number, layer: Layer): Rule | Problem {
  const bad = (what: string, severity: Problem['severity'] = 'error'): Problem => ({
    line,
    severity,
    what: `${name.slice(0, 100)}: ${what}`,
  });
  // A later Ebb may know the key: one file serves many versions.
  if (!isPolicyKey(name))
    return bad('this version of Ebb knows no such key; it is not looked at.', 'warning');
  const row = keyRow(name);
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    return bad(`expected {${row.parts.map(part => `"${part}": …`).join(', ')}}.`);
  const rule = new Map<string, unknown>(Object.entries(said));
  const given = PARTS.filter(part => rule.has(part));
  const stranger = [...rule.keys()].find(part => part !== 'reason' && !row.parts.includes(part as Part));
  if (stranger !== undefined)
    return bad(`it takes ${row.parts.join(', ')} and reason, not "${stranger.slice(0, 50)}".`);
  if (given.length === 0) return bad(`it says none of ${row.parts.join(', ')}.`);
  if (layer === 'recommended' && (row.isSetting !== true || given.join() !== 'value'))
    return bad('only a value that people may change can be recommended; it is not looked at.', 'warning');
  const reason = rule.get('reason') ?? '';
  if (typeof reason !== 'string' || reason.length > REASON_MAX)
    return bad(`reason is text of at most ${REASON_MAX} characters.`);
  return readParts(name, row, rule, { line, reason, bad });
}

function readParts(
  key: PolicyKey,
  row: PolicyKeyRow,
  said: ReadonlyMap<string, unknown>,
  { line, reason, bad }: { line: number; reason: string; bad: (what: string) => Problem },
): Rule | Problem {
  const wrong = row.parts.find(part => said.has(part) && !isRight(row, part, said.get(part)));
  if (wrong !== undefined) return bad(`${wrong} is ${expected(row, wrong)}.`);
  const amount = (part: Part): number | null => readAmount(row.kind, said.get(part));
  const value = said.get('value') ?? null;
  const rule: Rule = {
    key,
    line,
    value: isAmount(row) ? amount('value') : (value as boolean | string | null),
    min: amount('min'),
    max: amount('max'),
    allowed: (said.get('allowed') as string[] | undefined) ?? null,
    reason,
  };
  if (rule.min !== null && rule.max !== null && rule.min > rule.max) return bad('min is above max.');
  return rule;
}

export const isAmount = ({ kind }: Pick<PolicyKeyRow, 'kind'>): boolean =>
  kind === 'memory' || kind === 'size' || kind === 'count';

function isRight(row: PolicyKeyRow, part: Part, said: unknown): boolean {
  if (part === 'allowed') return isWordList(said) && said.every(word => isWord(row, word));
  if (row.kind === 'flag') return typeof said === 'boolean';
  if (row.kind === 'choice') return typeof said === 'string' && isWord(row, said);
  const amount = readAmount(row.kind, said);
  return amount !== null && amount >= (row.least ?? 0) && amount <= (row.most ?? Number.MAX_SAFE_INTEGER);
}

const isWordList = (said: unknown): said is string[] =>
  Array.isArray(said) && said.length <= WORDS_MAX && said.every(word => typeof word === 'string');

/** A folder must be absolute and without `.` and `..`: otherwise "below it" could mean elsewhere. */
const isWord = ({ kind, choices }: PolicyKeyRow, word: string): boolean =>
  kind === 'folders'
    ? word.length <= 1024 && /^(?:\/|[A-Z]:\\)/.test(word) && !/(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(word)
    : choices?.includes(word) === true;

/** What a part must look like, in words. */
export function expected(row: PolicyKeyRow, part: Part): string {
  const { kind, choices = [], least = 0, most } = row;
  if (part === 'allowed')
    return kind === 'folders'
      ? `a list of at most ${WORDS_MAX} absolute paths`
      : `a list of ${choices.join(', ')}`;
  if (kind === 'flag') return 'true or false';
  if (kind === 'choice') return `one of ${choices.join(', ')}`;
  if (kind === 'count') return `a whole number from ${least} to ${most}`;
  const from = least === 0 ? '' : ` of ${sayAmount(kind, least)} or more`;
  return `an amount like "6GiB" or "512MiB"${from}`;
}
