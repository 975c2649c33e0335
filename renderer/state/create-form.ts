// The create dialog's form as data: first values, problems in words, and the command it becomes. Pure.
import { freeName } from '../../shared/free-name.ts';
import type { FileToken } from '../../shared/ids.ts';
import { KINDS, suggestedRange } from '../../shared/kinds.ts';
import { type HostMemory, type MemoryRange, VM_MIN_KIB } from '../../shared/memory.ts';
import { GIB, GIB_KIB, MIB, MIB_KIB } from '../../shared/units.ts';
import { type DiskFormat, type OsKind, vmNameSchema } from '../../shared/vm.ts';
import { type CloudInit, cloudInitSchema, type Firmware } from '../../shared/vm-setup.ts';
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
  readonly os: OsKind;
  readonly cpus: string;
  readonly diskGib: string;
  readonly file: ChosenFile | null;
  readonly format: DiskFormat | '';
  readonly minKib: number;
  readonly maxKib: number;
  readonly firmware: Firmware;
  readonly hasTpm: boolean;
  readonly group: string;
  /** For a disk that is a cloud image; an empty user means that it is none. */
  readonly cloudUser: string;
  readonly cloudKey: string;
  readonly cloudPackages: string;
}

/** The smallest disk worth creating. */
const DISK_BYTES_MIN = 64 * MIB;
const CPUS_MAX = 64;

/** The first range: little for the sample; for an installed system what its kind wants. */
function firstRange(kind: CreateKind, os: OsKind, host: HostMemory | null): MemoryRange {
  const budget = host?.budgetKib ?? 8 * GIB_KIB;
  if (kind !== 'sample') return suggestedRange(os, budget);
  const half = Math.floor(budget / 2 / (64 * MIB_KIB)) * 64 * MIB_KIB;
  const maxKib = Math.max(4 * VM_MIN_KIB, Math.min(512 * MIB_KIB, half));
  return { minKib: maxKib / QUARTER, maxKib };
}

interface Given {
  readonly baseName: string;
  readonly names: readonly string[];
  readonly host: HostMemory | null;
}

export function firstForm(kind: CreateKind, given: Given, os: OsKind = 'linux'): CreateForm {
  const isSample = kind === 'sample';
  const { cpus, diskBytes, firmware, hasTpm } = KINDS[os];
  return {
    kind,
    name: freeName(given.baseName, given.names),
    os,
    cpus: isSample ? '1' : String(cpus),
    diskGib: isSample ? '1' : String(diskBytes / GIB),
    file: null,
    format: '',
    ...firstRange(kind, os, given.host),
    firmware: isSample ? 'bios' : firmware,
    hasTpm: !isSample && hasTpm,
    group: '',
    cloudUser: '',
    cloudKey: '',
    cloudPackages: '',
  };
}

const RANGE = ['minKib', 'maxKib'] as const;
const SUGGESTED = ['name', 'cpus', 'diskGib', 'firmware', 'hasTpm'] as const;

/** The next form, with the fields the person changed kept; the rest is as if the dialog opened with it. */
function changedFrom(form: CreateForm, old: CreateForm, next: CreateForm): CreateForm {
  const isKept = (key: keyof CreateForm): boolean => form[key] !== old[key];
  const range = RANGE.some(isKept) ? { minKib: form.minKib, maxKib: form.maxKib } : {};
  const kept = Object.fromEntries(SUGGESTED.filter(isKept).map(key => [key, form[key]]));
  return { ...next, ...kept, ...range, group: form.group };
}

/** The form for another kind, with its first values; the chosen file is dropped, being of the old kind. */
export function withKind(
  form: CreateForm,
  kind: CreateKind,
  given: Given & { readonly oldName: string },
): CreateForm {
  if (kind === form.kind) return form;
  const old = firstForm(form.kind, { ...given, baseName: given.oldName }, form.os);
  return changedFrom(form, old, firstForm(kind, given));
}

/** The form for another system, with what that system wants of its machine. */
export function withOs(form: CreateForm, os: OsKind, host: HostMemory | null): CreateForm {
  const given = { baseName: form.name, names: [], host };
  const next = changedFrom(form, firstForm(form.kind, given, form.os), firstForm(form.kind, given, os));
  const { file, format, cloudUser, cloudKey, cloudPackages } = form;
  return { ...next, file, format, cloudUser, cloudKey, cloudPackages };
}

const amount = (text: string): number => Number(text.trim().replace(',', '.'));
const diskBytes = (form: CreateForm): number => Math.round((amount(form.diskGib) * GIB) / MIB) * MIB;

const packagesOf = (text: string): string[] => text.split(/[\s,]+/).filter(word => word !== '');

/** Null: the disk is no cloud image. */
function cloudInitOf({ kind, cloudUser, cloudKey, cloudPackages }: CreateForm): CloudInit | null {
  if (kind !== 'disk' || cloudUser.trim() === '') return null;
  const key = cloudKey.trim();
  return {
    user: cloudUser.trim(),
    sshKeys: key === '' ? [] : [key],
    packages: packagesOf(cloudPackages),
  };
}

export type CreateProblems = Partial<
  Record<'name' | 'cpus' | 'diskGib' | 'file' | 'format' | 'cloudUser' | 'cloudKey' | 'cloudPackages', string>
>;

function cloudProblems(form: CreateForm, text: Dictionary): CreateProblems {
  const cloud = cloudInitOf(form);
  const isAsked = form.kind === 'disk' && (form.cloudKey.trim() !== '' || form.cloudPackages.trim() !== '');
  const words = text.setup.cloud;
  if (cloud === null) return isAsked ? { cloudUser: words.userRule } : {};
  const { user, sshKeys, packages } = cloudInitSchema.shape;
  return {
    ...(user.safeParse(cloud.user).success ? {} : { cloudUser: words.userRule }),
    // Without a key nobody could log in.
    ...(cloud.sshKeys.length > 0 && sshKeys.safeParse(cloud.sshKeys).success
      ? {}
      : { cloudKey: words.keyRule }),
    ...(packages.safeParse(cloud.packages).success ? {} : { cloudPackages: words.packagesRule }),
  };
}

export function createProblems(
  form: CreateForm,
  given: { readonly names: readonly string[]; readonly text: Dictionary },
): CreateProblems {
  const words = given.text.create;
  const problems: CreateProblems = cloudProblems(form, given.text);
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

/** The parameters of vm.create; null while the form is incomplete. */
export function toParams(form: CreateForm) {
  const common = {
    name: form.name.trim(),
    os: form.os,
    cpus: amount(form.cpus),
    minKib: form.minKib,
    maxKib: form.maxKib,
    firmware: form.firmware,
    hasTpm: form.hasTpm,
    group: form.group.trim(),
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
  const source = { kind: 'disk' as const, file, format: form.format };
  return { ...common, source, cloudInit: cloudInitOf(form) };
}
