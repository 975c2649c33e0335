// The form of `vm.json`: what a VM's folder says of the VM itself, so that the folder alone is enough to have
// the VM again. A file is read as a stranger's. Pure.
import * as z from 'zod';
import type { DiskId } from '../../../shared/ids.ts';
import { GIB } from '../../../shared/units.ts';
import { type VmSpec, vmSpecSchema } from '../../../shared/vm.ts';
import { isInstaller, isoNameOf } from './installer.ts';

export const VM_JSON = 'vm.json';
/** A spec has few and bounded texts: a longer file is none of ours. */
export const VM_JSON_BYTES_MAX = 256 * 1024;
/** A field that older versions of Ebb would drop makes a new version. */
const VERSION = 1;
/** T15. */
const DISK_BYTES_MAX = 2040 * GIB;

const headSchema = z.object({ ebb: z.literal('vm'), version: z.int() });
const fileSchema = z.strictObject({
  ebb: z.literal('vm'),
  version: z.literal(VERSION),
  // A peek ends with its QEMU: no folder that is kept is one.
  spec: vmSpecSchema.omit({ peek: true }).strict(),
});

/** What a VM's folder says; `why`: it says nothing that can be used. */
export type FolderSays =
  | { readonly spec: VmSpec }
  | { readonly spec: null; readonly why: 'none' | 'version' | 'damaged' };

export function vmJsonOf({ peek: _, ...spec }: VmSpec): z.infer<typeof fileSchema> {
  return { ebb: 'vm', version: VERSION, spec };
}

/** `raw`: what the file holds; undefined: it is not there, or is no JSON. */
export function readVmJson(raw: unknown): FolderSays {
  const head = headSchema.safeParse(raw);
  if (!head.success) return { spec: null, why: raw === undefined ? 'none' : 'damaged' };
  if (head.data.version !== VERSION) return { spec: null, why: 'version' };
  const file = fileSchema.safeParse(raw);
  if (!file.success || !isSound(file.data.spec)) return { spec: null, why: 'damaged' };
  return { spec: { ...file.data.spec, peek: null } };
}

function isSound(spec: Omit<VmSpec, 'peek'>): boolean {
  const ids = new Set<DiskId>(spec.disks.map(({ id }) => id));
  const isoName = isoNameOf(spec);
  return (
    ids.size === spec.disks.length &&
    spec.disks.every(({ virtualBytes }) => virtualBytes <= DISK_BYTES_MAX) &&
    spec.minKib <= spec.maxKib &&
    // A name of ours has no way out of the folder.
    (isoName === null || isInstaller(isoName))
  );
}
