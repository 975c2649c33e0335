// How a VM's machine is set up, besides its memory and disks: firmware, devices, network, when it starts by itself, and
// what a cloud image is told at its first start.
import * as z from 'zod';
import { momentIdSchema, pointIdSchema, vmIdSchema } from './ids.ts';

export const firmwareSchema = z.enum(['bios', 'uefi', 'uefi-secure']);
export type Firmware = z.infer<typeof firmwareSchema>;

/** `virtio` is fast and needs drivers in the guest; `emulated` is hardware every system of the last 20 years knows. */
export const devicesSchema = z.enum(['virtio', 'emulated']);
export type Devices = z.infer<typeof devicesSchema>;

/** `isolated`: the guest reaches nothing; port forwards still reach it. */
export const networkModeSchema = z.enum(['user', 'isolated', 'none']);
export type NetworkMode = z.infer<typeof networkModeSchema>;

export const portForwardSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostPort: z.int().min(1).max(65535),
  guestPort: z.int().min(1).max(65535),
});
export type PortForward = z.infer<typeof portForwardSchema>;
export const portForwardsSchema = z.array(portForwardSchema).max(32);

export const autostartSchema = z.object({
  /** Lower starts first. */
  order: z.int().min(1).max(999),
  /** Wait after the VM that starts before it. */
  delaySeconds: z.int().min(0).max(3600),
});
export type Autostart = z.infer<typeof autostartSchema>;

/** One line of plain words: VMs with equal text are one group. */
export const groupSchema = z
  .string()
  .trim()
  .max(60)
  .regex(/^[^\p{C}]*$/u, 'one line of letters, digits and signs');
export const notesSchema = z.string().max(4000);

/** A versioned name: what QEMU calls `pc-q35-7.2` stays the same hardware in later versions. */
export const machineTypeSchema = z.string().regex(/^pc-q35-\d{1,3}\.\d{1,3}$/);

/** What a peek, a VM made to look at a moment, shows. A peek and what it writes end with its QEMU. */
export const peekSchema = z.object({
  vmId: vmIdSchema,
  momentId: momentIdSchema,
  momentName: z.string(),
  /** The point of each disk, in the order of the disks. */
  points: z.array(pointIdSchema),
});
export type Peek = z.infer<typeof peekSchema>;

/** The most a VM may use, in per cent of all this computer's processors; null: no cap. */
export const cpuCapSchema = z.int().min(1).max(99).nullable();

/** The defaults describe VMs as they were before a field existed: stored specs may lack it. */
export const setupFields = {
  firmware: firmwareSchema.default('bios'),
  hasTpm: z.boolean().default(false),
  devices: devicesSchema.default('virtio'),
  /** Null until the VM's first start pins it. */
  machineType: machineTypeSchema.nullable().default(null),
  group: groupSchema.default(''),
  notes: notesSchema.default(''),
  autostart: autostartSchema.nullable().default(null),
  cpuCapPercent: cpuCapSchema.default(null),
  /** The VM's folder holds the data a cloud image asks for at its first start. */
  hasSeed: z.boolean().default(false),
  /** Null: an ordinary VM, which is kept. */
  peek: peekSchema.nullable().default(null),
};
const setupSchema = z.object(setupFields);
export type Setup = z.infer<typeof setupSchema>;
export const PLAIN_SETUP: Setup = setupSchema.parse({});

const KEY_TYPES =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}(?: [^\p{C}]*)?$/u;

export const cloudInitSchema = z.strictObject({
  user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a user name: small letters, digits, _ and -'),
  sshKeys: z.array(z.string().trim().max(16384).regex(KEY_TYPES, 'a public key, as one line')).max(16),
  packages: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]{0,127}$/, "a package's name"))
    .max(100)
    .default([]),
});
export type CloudInit = z.infer<typeof cloudInitSchema>;

/** A change of a VM's setup: a field that is left out stays as it is. */
export const setupChangeSchema = z.strictObject({
  cpus: z.int().min(1).max(64).optional(),
  cpuCapPercent: cpuCapSchema.optional(),
  firmware: firmwareSchema.optional(),
  hasTpm: z.boolean().optional(),
  devices: devicesSchema.optional(),
  /** Null: from the next start on, the newest machine type this computer's QEMU has. */
  machineType: z.null().optional(),
  network: networkModeSchema.optional(),
  portForwards: portForwardsSchema.optional(),
  autostart: autostartSchema.nullable().optional(),
  group: groupSchema.optional(),
  notes: notesSchema.optional(),
});
export type SetupChange = z.infer<typeof setupChangeSchema>;

/** Optional parts of this computer for building VMs. `fix`: the command that installs a missing one. */
export const partSchema = z.object({ isHere: z.boolean(), fix: z.string().max(300) });
export const hostPartsSchema = z.object({
  uefi: partSchema,
  secureBoot: partSchema,
  tpm: partSchema,
  /** Whether the host can hold a VM to `cpuCapPercent`. */
  cpuCap: partSchema,
});
export type HostParts = z.infer<typeof hostPartsSchema>;

export const portConflictSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostPort: z.int(),
  /** A sentence that names who has the port: the VM "dev", or another program. */
  what: z.string().max(300),
});
export type PortConflict = z.infer<typeof portConflictSchema>;
