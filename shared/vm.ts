// A VM: what was asked for (spec) and how it is (state).
import * as z from 'zod';
import { errorBodySchema } from './errors.ts';
import { diskIdSchema, fileTokenSchema, vmIdSchema } from './ids.ts';
import { bytesSchema, kibSchema, timeMsSchema } from './units.ts';
import { networkModeSchema, portForwardsSchema, setupFields } from './vm-setup.ts';

export const vmNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(60)
  // Guest- and person-supplied text reaches argv (`-name`), logs and file names: no controls, no separators.
  .regex(/^[^\p{C}/\\,=]+$/u, 'letters, digits, spaces and most signs; not / \\ , =');

/** `windows`: 10 and before. */
export const osKindSchema = z.enum(['linux', 'windows', 'windows-11', 'bsd', 'other']);
export type OsKind = z.infer<typeof osKindSchema>;
export const diskFormatSchema = z.enum(['vhd', 'qcow2', 'raw', 'vhdx', 'vmdk']);
export type DiskFormat = z.infer<typeof diskFormatSchema>;

export const vmSpecSchema = z.object({
  id: vmIdSchema,
  name: vmNameSchema,
  os: osKindSchema,
  cpus: z.int().min(1).max(64),
  minKib: kibSchema,
  maxKib: kibSchema,
  weight: z.int().min(1).max(10000),
  /** Include in balancing. */
  balanced: z.boolean(),
  /** False leaves the balloon device out of the machine. */
  balloon: z.boolean(),
  disks: z.array(z.object({ id: diskIdSchema, virtualBytes: bytesSchema })).max(8),
  /** What firmware boots: the sample kernel, the disk, or an installer ISO first. */
  boot: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('sample') }),
    z.object({ kind: z.literal('disk') }),
    z.object({
      kind: z.literal('iso'),
      /** File name of the copy in the VM's folder: a new name for each disc that is put in. */
      isoName: z.string().max(255),
      /** The original file's name. */
      label: z.string().max(255).optional(),
    }),
  ]),
  network: networkModeSchema,
  portForwards: portForwardsSchema,
  ...setupFields,
  createdAt: timeMsSchema,
});
export type VmSpec = z.infer<typeof vmSpecSchema>;
/** False for a peek, which ends with its QEMU. */
export const isKept = ({ peek }: Pick<VmSpec, 'peek'>): boolean => peek === null;
/** The disc in the VM's CD drive, by the name people know; null: none. */
export const discOf = ({ boot }: Pick<VmSpec, 'boot'>): string | null =>
  boot.kind === 'iso' ? (boot.label ?? boot.isoName) : null;

export const vmPhaseSchema = z.enum([
  'off',
  'starting',
  'running',
  'paused',
  'stopping',
  'suspending',
  'suspended',
  'failed',
]);
export type VmPhase = z.infer<typeof vmPhaseSchema>;

/**
 * What a running VM is still waited for. `screen`: its first picture; `blank`: that is overdue; `guest`: it
 * has a picture, but no agent or balloon driver answers yet; `silent`: neither answered in time.
 */
export const comingSchema = z.enum(['screen', 'blank', 'guest', 'silent']);
export type Coming = z.infer<typeof comingSchema>;

export const vmStateSchema = z.object({
  phase: vmPhaseSchema,
  /** The step of a start or stop under way, or why it is paused, in words; empty otherwise. */
  detail: z.string().max(300),
  since: timeMsSchema,
  pid: z.int().nullable(),
  accelerator: z.enum(['kvm', 'hvf', 'whpx', 'tcg']).nullable(),
  /** The guest's own channel is open: the guest is up. */
  guestUp: z.boolean(),
  /** Null: nothing more is waited for, or the VM does not run. */
  coming: comingSchema.nullable().default(null),
  /** Last failure, kept until the next start. */
  error: errorBodySchema.nullable(),
});
export type VmState = z.infer<typeof vmStateSchema>;

/** What the guest says of itself: untrusted, so its sizes are bounded. */
export const guestInfoSchema = z.object({
  hostName: z.string().max(200).nullable(),
  os: z.string().max(200).nullable(),
  addresses: z.array(z.string().max(50)).max(16),
});
export type GuestInfo = z.infer<typeof guestInfoSchema>;

export const vmSummarySchema = z.object({ spec: vmSpecSchema, state: vmStateSchema });
export type VmSummary = z.infer<typeof vmSummarySchema>;

/** A VM in the trash, which can be taken back until it goes for good. */
export const deletedVmSchema = z.object({
  vmId: vmIdSchema,
  name: vmNameSchema,
  deletedAt: timeMsSchema,
  goesAt: timeMsSchema,
});
export type DeletedVm = z.infer<typeof deletedVmSchema>;

export const vmSourceSchema = z.discriminatedUnion('kind', [
  /** The sample guest: a small Linux with an agent; diskBytes of empty disk. */
  z.object({ kind: z.literal('sample'), diskBytes: bytesSchema }),
  z.object({ kind: z.literal('iso'), file: fileTokenSchema, diskBytes: bytesSchema }),
  /** The original is only read; `format` is what the person said it is, never guessed (DESIGN §8). */
  z.object({
    kind: z.literal('disk'),
    file: fileTokenSchema,
    format: diskFormatSchema,
    /** For a VHD with its parents beside it: make a point of each image, not of the newest content alone. */
    history: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('empty'), diskBytes: bytesSchema }),
]);
export type VmSource = z.infer<typeof vmSourceSchema>;
