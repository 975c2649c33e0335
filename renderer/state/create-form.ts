// The create dialog's form as data: first values, problems in words, and the command it becomes. Pure.
import type { FileToken } from '../../shared/ids.ts';
import { type HostMemory, type MemoryRange, VM_MIN_KIB } from '../../shared/memory.ts';
import { GIB, GIB_KIB, MIB, MIB_KIB } from '../../shared/units.ts';
import { type DiskFormat, type VmSpec, vmNameSchema } from '../../shared/vm.ts';
import type { Dictionary } from '../i18n/en.ts';
import { DISK_BYTES_MAX } from '../view/grow.ts';
import { QUARTER } from '../view/memory-scale.ts';

export type CreateKind = 'sample' | 'iso' | 'disk';

export type ChosenFile =
  | { readonly kind: 'uploading'; readonly name: string; readonly share: number }
  | { readonly kind: 'ready'; readonly file: FileToken; readonly name: string; readonly bytes: number };

export interface CreateForm {
  readonly kind: CreateKind;
  readonly name: string;
  readonly os: VmSpec['os'];
  readonly cpus: string;
  readonly diskGib: string;
  readonly file: ChosenFile | null;
  readonly format: DiskFormat | '';
  readonly minKib: number;
  readonly maxKib: number;
}

/** What is worth a disk at all. */
const DISK_BYTES_MIN = 64 * MIB;
const CPUS_MAX = 64;

/** "sample", "sample 2", … : the first that is free. */
export function freeName(base: string, names: readonly string[]): string {
  const taken = new Set(names.map(name => name.toLowerCase()));
  for (let count = 1; count < 1000; count += 1) {
    const name = count === 1 ? base : `${base} ${count}`;
    if (!taken.has(name.toLowerCase())) return name;
  }
  return base;
}

/** The sample is happy with little; an installed system wants about half of what there is, at most 4 GiB. */
function firstRange(kind: CreateKind, host: HostMemory | null): MemoryRange {
  const budget = host?.budgetKib ?? 8 * GIB_KIB;
  const wanted = kind === 'sample' ? 512 * MIB_KIB : 4 * GIB_KIB;
  const half = Math.floor(budget / 2 / (64 * MIB_KIB)) * 64 * MIB_KIB;
  const maxKib = Math.max(4 * VM_MIN_KIB, Math.min(wanted, half));
  return { minKib: maxKib / QUARTER, maxKib };
}

interface Given {
  readonly baseName: string;
  readonly names: readonly string[];
  readonly host: HostMemory | null;
}

export function firstForm(kind: CreateKind, given: Given): CreateForm {
  return {
    kind,
    name: freeName(given.baseName, given.names),
    os: kind === 'sample' ? 'linux' : 'other',
    cpus: kind === 'sample' ? '1' : '2',
    diskGib: kind === 'sample' ? '1' : '40',
    file: null,
    format: '',
    ...firstRange(kind, given.host),
  };
}

/** Another kind's first values, but what the person changed stays; a file of another kind does not. */
export function withKind(form: CreateForm, kind: CreateKind, given: Given & { readonly oldName: string }) {
  if (kind === form.kind) return form;
  const old = firstForm(form.kind, { ...given, baseName: given.oldName });
  const next = firstForm(kind, given);
  const isRangeKept = form.minKib !== old.minKib || form.maxKib !== old.maxKib;
  return {
    ...next,
    name: form.name === old.name ? next.name : form.name,
    cpus: form.cpus === old.cpus ? next.cpus : form.cpus,
    diskGib: form.diskGib === old.diskGib ? next.diskGib : form.diskGib,
    ...(isRangeKept ? { minKib: form.minKib, maxKib: form.maxKib } : {}),
  };
}

const amount = (text: string): number => Number(text.trim().replace(',', '.'));
const diskBytes = (form: CreateForm): number => Math.round((amount(form.diskGib) * GIB) / MIB) * MIB;

export type CreateProblems = Partial<Record<'name' | 'cpus' | 'diskGib' | 'file' | 'format', string>>;

export function createProblems(
  form: CreateForm,
  given: { readonly names: readonly string[]; readonly text: Dictionary },
): CreateProblems {
  const words = given.text.create;
  const problems: CreateProblems = {};
  const name = form.name.trim();
  if (!vmNameSchema.safeParse(name).success) problems.name = words.nameRule;
  else if (given.names.some(other => other.toLowerCase() === name.toLowerCase())) {
    problems.name = words.nameTaken(name);
  }
  const cpus = amount(form.cpus);
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > CPUS_MAX) problems.cpus = words.cpusRule;
  if (form.kind !== 'disk') {
    const bytes = diskBytes(form);
    if (!Number.isSafeInteger(bytes) || bytes < DISK_BYTES_MIN || bytes > DISK_BYTES_MAX) {
      problems.diskGib = words.diskSizeRule;
    }
  }
  if (form.kind !== 'sample' && form.file?.kind !== 'ready') problems.file = words.fileMissing;
  if (form.kind === 'disk' && form.format === '') problems.format = words.formatMissing;
  return problems;
}

/** What the form asks of the service; null while it is not whole. */
export function toParams(form: CreateForm) {
  const common = {
    name: form.name.trim(),
    os: form.os,
    cpus: amount(form.cpus),
    minKib: form.minKib,
    maxKib: form.maxKib,
  };
  if (form.kind === 'sample') {
    return { ...common, source: { kind: 'sample' as const, diskBytes: diskBytes(form) } };
  }
  if (form.file?.kind !== 'ready') return null;
  const { file } = form.file;
  if (form.kind === 'iso') {
    return { ...common, source: { kind: 'iso' as const, file, diskBytes: diskBytes(form) } };
  }
  if (form.format === '') return null;
  return { ...common, source: { kind: 'disk' as const, file, format: form.format } };
}
