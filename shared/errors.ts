// The closed set of error codes and the form every message takes: what happened, what is safe, what to do.
import * as z from 'zod';

export const ERROR_CODES = [
  // rpc and program
  'internal',
  'cancelled',
  'rpc.bad-request',
  'rpc.unknown-method',
  'rpc.version-mismatch',
  'rpc.unavailable',
  'rpc.overflow',
  'rpc.denied',
  'policy.denied',
  'task.not-found',
  'file.unknown-token',
  'file.unreadable',
  'limit.reached',
  'audit.unwritable',
  'access.not-found',
  // VMs
  'vm.not-found',
  'vm.name-taken',
  'vm.bad-spec',
  'vm.wrong-state',
  'vm.start-failed',
  'vm.died',
  'vm.timeout',
  'vm.sample-missing',
  'network.port-in-use',
  'qemu.missing',
  'qemu.refused',
  // memory
  'memory.bad-range',
  'memory.over-host',
  'memory.over-cap',
  'memory.no-change',
  'memory.not-enough',
  'memory.no-balloon',
  // disks
  'disk.not-found',
  'disk.in-use',
  'disk.full',
  'disk.io',
  'disk.poisoned',
  'disk.too-large',
  'disk.would-shrink',
  'disk.owned-elsewhere',
  'vhd.corrupt',
  'vhd.unsupported',
  'vhd.parent-missing',
  'vhd.parent-mismatch',
  'import.bad-format',
  'import.changed',
  'import.refused',
  'timeline.missing',
  'moment.not-found',
  'moment.pinned',
  'storage.unavailable',
  // machine
  'host.unsupported',
  'host.permission',
] as const;

export const errorCodeSchema = z.enum(ERROR_CODES);
export type ErrorCode = (typeof ERROR_CODES)[number];

export const errorBodySchema = z.object({
  code: errorCodeSchema,
  /** What happened, on which object, found against expected. One or two sentences. */
  what: z.string().max(2000),
  /** What is safe: the sentence that reassures people. */
  safe: z.string().max(500),
  /** What to do next. */
  todo: z.string().max(1000),
  /** Named values behind the sentence, for scripts. */
  data: z.record(z.string(), z.json()).optional(),
  /** Set for `internal` only: the id under which the log has the stack. */
  incident: z.string().max(64).optional(),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

export const errorText = (body: ErrorBody): string =>
  [body.what, body.safe, body.todo].filter(Boolean).join(' ');
