// Words in, meaning out. Pure: options, sizes, and who is meant by a name, an id's beginning or @-1.

import type { Moment } from '../../../shared/timeline.ts';
import { KIB } from '../../../shared/units.ts';
import type { VmSummary } from '../../../shared/vm.ts';

/** Wrong use: exit code 2, with the command's usage. */
export class UsageError extends Error {}
/** Nothing has that name: exit code 3. */
export class NotFoundError extends Error {
  readonly code: 'vm.not-found' | 'moment.not-found';
  readonly todo: string;
  constructor(code: 'vm.not-found' | 'moment.not-found', what: string, todo: string) {
    super(what);
    this.code = code;
    this.todo = todo;
  }
}

export interface Words {
  readonly plain: readonly string[];
  readonly options: Readonly<Record<string, string | true>>;
}

/** `--name value`, `--name=value`, `--flag`, `-h`; everything after `--` is plain. */
export function readWords(argv: readonly string[], flags: ReadonlySet<string>): Words {
  const plain: string[] = [];
  const options: Record<string, string | true> = {};
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      plain.push(...argv.slice(index + 1));
      break;
    }
    if (word === '-h') {
      options.help = true;
      continue;
    }
    if (!word.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const [name = '', value] = word.slice(2).split(/=(.*)/s);
    if (value !== undefined) options[name] = value;
    else if (flags.has(name)) options[name] = true;
    else {
      const next = argv[++index];
      if (next === undefined) throw new UsageError(`--${name} needs a value.`);
      options[name] = next;
    }
  }
  return { plain, options };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** 2G, 512M, 1.5GiB, 4096 (bytes). */
export function parseBytes(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  if (match === null) throw new UsageError(`${option}: "${text}" is not a size; write it like 2G or 512M.`);
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? '').toUpperCase()] ?? 1);
  if (!Number.isSafeInteger(Math.round(bytes))) throw new UsageError(`${option}: ${text} is too large.`);
  return Math.round(bytes);
}

/** In KiB. Below 1 MiB a unit was forgotten: nobody means 512 bytes of memory. */
export function parseMemory(text: string, option: string): number {
  const kib = Math.floor(parseBytes(text, option) / KIB);
  if (kib < 1024) throw new UsageError(`${option}: ${text} is less than 1 MiB; write it like 512M or 2G.`);
  return kib;
}

/** A whole number from `least` to `most`. */
export function parseCount(text: string, option: string, least: number, most: number): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw new UsageError(`${option}: "${text}" is not a whole number from ${least} to ${most}.`);
}

/** By name, else by the beginning of its id, if only one has it. */
export function pickVm(vms: readonly VmSummary[], word: string): VmSummary {
  const byName = vms.find(({ spec }) => spec.name.toLowerCase() === word.toLowerCase());
  if (byName !== undefined) return byName;
  const byId = vms.filter(({ spec }) => word.length >= 4 && spec.id.startsWith(word));
  if (byId.length === 1 && byId[0] !== undefined) return byId[0];
  throw byId.length > 1
    ? new NotFoundError('vm.not-found', `"${word}" begins the ids of ${byId.length} VMs.`, 'Give more of it.')
    : new NotFoundError('vm.not-found', `There is no VM "${word}".`, 'See: ebb vm list');
}

const SEE_POINTS = 'See: ebb point list VM';

/** By name (the newest of that name), id's beginning, or @-1 for the newest, @-2 for the one before. */
export function pickMoment(moments: readonly Moment[], word: string): Moment {
  const newestFirst = [...moments].sort((a, b) => b.takenAt - a.takenAt);
  const back = /^@-(\d+)$/.exec(word)?.[1];
  if (back !== undefined) {
    const found = newestFirst[Number(back) - 1];
    if (found !== undefined) return found;
    throw new NotFoundError(
      'moment.not-found',
      moments.length === 1 ? 'There is only 1 point.' : `There are only ${moments.length} points.`,
      SEE_POINTS,
    );
  }
  const byName = newestFirst.find(moment => moment.name === word);
  if (byName !== undefined) return byName;
  const byId = newestFirst.filter(moment => word.length >= 4 && moment.id.startsWith(word));
  if (byId.length === 1 && byId[0] !== undefined) return byId[0];
  throw new NotFoundError('moment.not-found', `There is no single point "${word}".`, SEE_POINTS);
}
