// Memory as the contract speaks of it. All amounts in KiB. Words: DESIGN §3.
import * as z from 'zod';
import { vmIdSchema } from './ids.ts';
import { kibSchema, timeMsSchema } from './units.ts';

/** Below this no kernel of ours boots with room for a balloon (M10). */
export const VM_MIN_KIB = 65_536;

export const memoryModeSchema = z.enum(['proportional', 'demand']);

/** How scarce memory is on the host. `emergency`: until it is over, no VM gets memory and none starts. */
export const hostStateSchema = z.enum(['ok', 'low', 'critical', 'emergency']);

export const memoryRangeSchema = z.object({ minKib: kibSchema, maxKib: kibSchema });
export type MemoryRange = z.infer<typeof memoryRangeSchema>;
export const sameRange = (a: MemoryRange, b: MemoryRange): boolean =>
  a.minKib === b.minKib && a.maxKib === b.maxKib;

/**
 * How a guest answers its balloon (M4). `fixed`: a person excluded the VM from balancing. `no-return`: what
 * the balloon takes does not reach the host (M8).
 */
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
  /** The `-m` this run was started with: the ceiling until the next start; null when off (M6). */
  bootKib: kibSchema.nullable(),
  /** What the guest was last asked to hold. Asked is not done (M4). */
  targetKib: kibSchema.nullable(),
  /** From QMP query-balloon, never from anything else. */
  actualKib: kibSchema.nullable(),
  residentKib: kibSchema.nullable(),
  /** What the guest itself uses, from balloon statistics; null when the guest does not report them. */
  usedKib: kibSchema.nullable(),
  overheadKib: kibSchema,
  /** The most host memory the VM may come to hold without a further grant, overhead included (M2). */
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
  /** The sum over all running VMs (M2). */
  committedKib: kibSchema,
  leasedKib: kibSchema,
  freeKib: kibSchema,
  /** Ebb's own processes. */
  ownKib: kibSchema,
  /** r of the patent: 0 = everyone at max, 1 = everyone at min. */
  compressionRatio: z.number().min(0).max(1),
  mode: memoryModeSchema,
  state: hostStateSchema,
  /** When the VMs may take back the memory that memory.free asked them to leave free; null: nobody asked. */
  freeUntil: timeMsSchema.nullable(),
  /** Host memory promised to be free until then: less than was asked for where VMs cannot give as much. */
  freePromisedKib: kibSchema.nullable(),
  /** The part of the budget that VMs do not use until then. */
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

/** One sample of the live chart. */
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

/**
 * M7: the ledger's plans, made again from their recorded inputs. `differing`: `seq` of the entries whose plan
 * came out otherwise, because other code made it or the entry is damaged.
 */
export const memoryReplaySchema = z.object({
  checked: z.int().min(0),
  differing: z.array(z.int().min(0)).max(1000),
});
export type MemoryReplay = z.infer<typeof memoryReplaySchema>;

/** `before`: the range an undo brings back; null: nothing to undo. `trialEndsAt`: null: no trial is on. */
export const rangeUndoSchema = z.object({
  before: memoryRangeSchema.nullable(),
  trialEndsAt: timeMsSchema.nullable(),
});
export type RangeUndo = z.infer<typeof rangeUndoSchema>;

/** One entry for each VM whose range was changed. */
export const rangeUndosSchema = z.object({
  ranges: z.array(rangeUndoSchema.extend({ vmId: vmIdSchema })).max(1000),
});
export type RangeUndos = z.infer<typeof rangeUndosSchema>;

/** What VMs would give back so that the wanted amount of host memory is free. */
export const freePreviewSchema = z.object({
  isEnough: z.boolean(),
  freeableKib: kibSchema,
  sentence: z.string().max(10_000),
  changes: startPreviewSchema.shape.changes,
});
export type FreePreview = z.infer<typeof freePreviewSchema>;
