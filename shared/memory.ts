// Memory as the contract speaks of it. All amounts in KiB. Words: DESIGN §3.
import * as z from 'zod';
import { vmIdSchema } from './ids.ts';
import { kibSchema, timeMsSchema } from './units.ts';

/** Below this no kernel of ours boots with room for a balloon (M10). */
export const VM_MIN_KIB = 65_536;

export const memoryModeSchema = z.enum(['proportional', 'demand']);

/** How well the host itself is off for memory. `emergency`: nobody is given anything and nothing starts, until it is over. */
export const hostStateSchema = z.enum(['ok', 'low', 'critical', 'emergency']);

export const memoryRangeSchema = z.object({ minKib: kibSchema, maxKib: kibSchema });
export type MemoryRange = z.infer<typeof memoryRangeSchema>;
export const sameRange = (a: MemoryRange, b: MemoryRange): boolean =>
  a.minKib === b.minKib && a.maxKib === b.maxKib;

/** How a guest answers its balloon (M4). `fixed`: not balanced by choice. `no-return`: the host does not get what it takes (M8). */
export const balloonStateSchema = z.enum([
  'obeying',
  'slow',
  'refusing',
  'no-driver',
  'no-return',
  'blind',
  'booting',
  'fixed',
  'off',
]);
export type BalloonState = z.infer<typeof balloonStateSchema>;

export const vmMemorySchema = z.object({
  vmId: vmIdSchema,
  minKib: kibSchema,
  maxKib: kibSchema,
  /** What this run was started with (`-m`): the ceiling until the next start; null when off (M6). */
  bootKib: kibSchema.nullable(),
  /** Last asked. Asked is not done (M4). */
  targetKib: kibSchema.nullable(),
  /** QMP query-balloon, never anything else. */
  actualKib: kibSchema.nullable(),
  residentKib: kibSchema.nullable(),
  /** What the guest itself uses, from balloon statistics; null when it does not tell. */
  usedKib: kibSchema.nullable(),
  overheadKib: kibSchema,
  /** All it may come to hold without asking again, its overhead with it (M2). */
  committedKib: kibSchema,
  balloon: balloonStateSchema,
  weight: z.int().min(1).max(10000),
  balanced: z.boolean(),
});
export type VmMemory = z.infer<typeof vmMemorySchema>;

export const hostMemorySchema = z.object({
  totalKib: kibSchema,
  availableKib: kibSchema,
  /** M10: never given to a VM. */
  reserveKib: kibSchema,
  /** What VMs may use in all: total − reserve (or less, when configured). */
  budgetKib: kibSchema,
  /** The largest maximum a VM may have; null: none. */
  capKib: kibSchema.nullable(),
  /** Of all that run (M2). */
  committedKib: kibSchema,
  leasedKib: kibSchema,
  freeKib: kibSchema,
  /** Ebb's own processes. */
  ownKib: kibSchema,
  /** r of the patent: 0 = everyone at max, 1 = everyone at min. */
  compressionRatio: z.number().min(0).max(1),
  mode: memoryModeSchema,
  state: hostStateSchema,
  /** Until then VMs leave memory free that somebody asked for (memory.free); null: nobody did. */
  freeUntil: timeMsSchema.nullable(),
  /** How much of the host was promised to be free meanwhile: less than was asked for where VMs cannot give that much. */
  freePromisedKib: kibSchema.nullable(),
  /** Of the budget, what VMs leave alone for that. */
  freeWithheldKib: kibSchema,
  /** M5 watchdog: age of the last good plan. */
  planAgeMs: z.int().min(0),
  vms: z.array(vmMemorySchema).max(1000),
});
export type HostMemory = z.infer<typeof hostMemorySchema>;

/** One sentence of the ledger (M7). `moves` hold the figures the sentence was written from. */
export const ledgerEntrySchema = z.object({
  seq: z.int().min(0),
  at: timeMsSchema,
  cause: z.string().max(100),
  text: z.string().max(1000),
  moves: z.array(
    z.object({
      vmId: vmIdSchema,
      vmName: z.string(),
      fromKib: kibSchema,
      toKib: kibSchema,
      kind: z.enum(['take', 'give', 'give-back', 'reset']),
    }),
  ),
  result: z.enum(['asked', 'done', 'slow', 'refused', 'note']),
});
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

/** One point of the live chart. */
export const memorySampleSchema = z.object({
  at: timeMsSchema,
  targetKib: kibSchema.nullable(),
  actualKib: kibSchema.nullable(),
  usedKib: kibSchema.nullable(),
});
export type MemorySample = z.infer<typeof memorySampleSchema>;

/** M6: what a start would do, by the same planner called dry. */
export const startPreviewSchema = z.object({
  feasible: z.boolean(),
  /** What the VM would start with; below max it says "maximum applies at next start". */
  bootKib: kibSchema,
  sentence: z.string().max(1000),
  changes: z.array(z.object({ vmId: vmIdSchema, vmName: z.string(), fromKib: kibSchema, toKib: kibSchema })),
});
export type StartPreview = z.infer<typeof startPreviewSchema>;

/** M7: plans of the ledger made again from what they were made of. `differing`: made by other code, or damaged. */
export const memoryReplaySchema = z.object({
  checked: z.int().min(0),
  differing: z.array(z.int().min(0)).max(1000),
});
export type MemoryReplay = z.infer<typeof memoryReplaySchema>;

/** What undoing the last change of a range brings back, null: nothing; and when a trial ends by itself, null: none is on. */
export const rangeUndoSchema = z.object({
  before: memoryRangeSchema.nullable(),
  trialEndsAt: timeMsSchema.nullable(),
});
export type RangeUndo = z.infer<typeof rangeUndoSchema>;

/** Of every VM whose range was changed. */
export const rangeUndosSchema = z.object({
  ranges: z.array(rangeUndoSchema.extend({ vmId: vmIdSchema })).max(1000),
});
export type RangeUndos = z.infer<typeof rangeUndosSchema>;

/** What VMs give back so that so much of the host is free. */
export const freePreviewSchema = z.object({
  isEnough: z.boolean(),
  freeableKib: kibSchema,
  sentence: z.string().max(10_000),
  changes: startPreviewSchema.shape.changes,
});
export type FreePreview = z.infer<typeof freePreviewSchema>;
