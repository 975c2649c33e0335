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
  /** After whatever starts before it. */
  delaySeconds: z.int().min(0).max(3600),
});
export type Autostart = z.infer<typeof autostartSchema>;

/** One line of plain words, as groups are compared. */
export const groupSchema = z
  .string()
  .trim()
  .max(60)
  .regex(/^[^\p{C}]*$/u, 'one line of letters, digits and signs');
export const notesSchema = z.string().max(4000);

/** A versioned name: what QEMU calls `pc-q35-7.2` stays the same hardware in later versions. */
export const machineTypeSchema = z.string().regex(/^pc-q35-\d{1,3}\.\d{1,3}$/);

/** A look at how a VM was: it lives as long as its QEMU, and what it writes goes with it. */
export const peekSchema = z.object({
  vmId: vmIdSchema,
  momentId: momentIdSchema,
  momentName: z.string(),
  /** Of each of its disks, in order. */
  points: z.array(pointIdSchema),
});
export type Peek = z.infer<typeof peekSchema>;

/** Of all this computer's processors, at most; null: whatever it wants. */
export const cpuCapSchema = z.int().min(1).max(99).nullable();

/** What is not said is a VM as they were before these could be said. */
export const setupFields = {
  firmware: firmwareSchema.default('bios'),
  hasTpm: z.boolean().default(false),
  devices: devicesSchema.default('virtio'),
  /** Null until its first start. */
  machineType: machineTypeSchema.nullable().default(null),
  group: groupSchema.default(''),
  notes: notesSchema.default(''),
  autostart: autostartSchema.nullable().default(null),
  cpuCapPercent: cpuCapSchema.default(null),
  /** Its folder has what a cloud image asks for at its first start. */
  hasSeed: z.boolean().default(false),
  /** Null: a VM that is kept. */
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

/** What of a VM can be changed; what is left out stays. */
export const setupChangeSchema = z.strictObject({
  cpus: z.int().min(1).max(64).optional(),
  cpuCapPercent: cpuCapSchema.optional(),
  firmware: firmwareSchema.optional(),
  hasTpm: z.boolean().optional(),
  devices: devicesSchema.optional(),
  /** Null: the newest this computer's QEMU has, from the next start on. */
  machineType: z.null().optional(),
  network: networkModeSchema.optional(),
  portForwards: portForwardsSchema.optional(),
  autostart: autostartSchema.nullable().optional(),
  group: groupSchema.optional(),
  notes: notesSchema.optional(),
});
export type SetupChange = z.infer<typeof setupChangeSchema>;

/** What of this computer machines can be made with; where it is not there, the command that brings it. */
export const partSchema = z.object({ isHere: z.boolean(), fix: z.string().max(300) });
export const hostPartsSchema = z.object({
  uefi: partSchema,
  secureBoot: partSchema,
  tpm: partSchema,
  /** A share of the processors can be held. */
  cpuCap: partSchema,
});
export type HostParts = z.infer<typeof hostPartsSchema>;

export const portConflictSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostPort: z.int(),
  /** "dev", or another program; a sentence. */
  what: z.string().max(300),
});
export type PortConflict = z.infer<typeof portConflictSchema>;
