// Parses one word by its kind: sizes, counts, spans, choices. Pure.
import { bytesToKib, UNIT_BYTES } from '../../../shared/units.ts';
import type { Value } from './words.ts';

/** Wrong use: exit code 2, with the command's usage. */
export class UsageError extends Error {}

/** Bytes of 2G, 512M, 1.5GiB or 4096. */
export function parseBytes(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  if (match === null) throw new UsageError(`${what}: "${text}" is not a size; write it like 2G or 512M.`);
  const bytes = Number(match[1]) * (UNIT_BYTES[(match[2] ?? '').toUpperCase()] ?? 1);
  if (!Number.isSafeInteger(Math.round(bytes))) throw new UsageError(`${what}: ${text} is too large.`);
  return Math.round(bytes);
}

/** In KiB. Refuses less than 1 MiB: a unit was forgotten, since nobody means 512 bytes of memory. */
export function parseMemory(text: string, what: string): number {
  const kib = bytesToKib(parseBytes(text, what));
  if (kib < 1024) throw new UsageError(`${what}: ${text} is less than 1 MiB; write it like 512M or 2G.`);
  return kib;
}

function parseCount(text: string, what: string, least: number, most: number): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw new UsageError(`${what}: "${text}" is not a whole number from ${least} to ${most}.`);
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds: 90, 90s, 10m, 1h, 7d. */
function parseSpan(text: string, what: string, least: number, most: number): number {
  const [, digits = '', unit = ''] = /^(\d+)([smhd]?)$/.exec(text.trim()) ?? [];
  const seconds = digits === '' ? Number.NaN : Number(digits) * (SECONDS[unit] ?? 1);
  if (seconds >= least && seconds <= most) return seconds;
  throw new UsageError(
    `${what}: "${text}" is not a time from ${least} s to ${most} s; write it like 90s or 10m.`,
  );
}

function parseChoice(text: string, what: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  const near = nearest(text, choices);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw new UsageError(`${what} is one of ${choices.join(', ')}, not "${text}".${hint}`);
}

/** `what`: the word's name as the person knows it, "--min" or "VM". */
export function parseValue(text: string, what: string, value: Value): string | number {
  if (value.or?.includes(text) === true) return text;
  const { least = 0, most = Number.MAX_SAFE_INTEGER } = value;
  switch (value.kind) {
    case 'size':
      return parseBytes(text, what);
    case 'memory':
      return parseMemory(text, what);
    case 'count':
      return parseCount(text, what, least, most);
    case 'span':
      return parseSpan(text, what, least, most);
    case 'choice':
      return parseChoice(text, what, value.choices ?? []);
    case 'file':
    case 'vm':
    case 'deleted':
    case 'point':
    case 'trashed':
    case 'disk':
    case 'task':
      if (text.trim() === '') throw new UsageError(`${what} is empty.`);
      return text;
    case 'text':
    case 'flag':
      return text;
  }
}

/** How many letters to add, drop, change or swap with their neighbour to get from one word to the other. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (__, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + same);
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && isSwap) least = Math.min(least, at(row - 2, column - 2) + 1);
      (rows[row] as number[])[column] = least;
    }
  }
  return at(a.length, b.length);
}

/** The known word that was probably meant; null: none is near enough. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map(candidate => ({ candidate, far: distance(word, candidate) }))
    .sort((a, b) => a.far - b.far);
  const [first] = ranked;
  const limit = Math.max(1, Math.floor(word.length / 3));
  return first !== undefined && first.far <= limit ? first.candidate : null;
}
