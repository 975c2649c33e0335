// Automatic history as the contract speaks of it: when Ebb takes points by itself, how long it keeps those,
// and what cleaning up would drop. Ebb drops by itself only points that it took by itself.
import * as z from 'zod';
import { momentIdSchema, vmIdSchema } from './ids.ts';
import { bytesSchema, MIB, timeMsSchema } from './units.ts';

/** Each divides a day, so that points are taken at the same times every day. */
export const INTERVAL_MINUTES = [15, 30, 60, 120, 240, 480, 720, 1440] as const;

/** How long automatic points stay: all of the last hours, then the newest of each day, week and month. */
export const retentionSchema = z.strictObject({
  allHours: z
    .int()
    .min(1)
    .max(24 * 366),
  days: z.int().min(0).max(366),
  weeks: z.int().min(0).max(520),
  months: z.int().min(0).max(240),
});
export type Retention = z.infer<typeof retentionSchema>;

export const scheduleSchema = z.strictObject({
  isOn: z.boolean(),
  everyMinutes: z.literal(INTERVAL_MINUTES),
  /** Local time of one point of the day, in minutes after midnight; the others follow from the interval. */
  atMinute: z.int().min(0).max(1439),
  /** A point is skipped when less than this was written since the newest one. 0: any change is enough. */
  leastChangedBytes: bytesSchema,
  /** A point is taken at once when this much was written since the newest one; null: only at its times. */
  changedBytes: bytesSchema.min(MIB).nullable(),
  /** On battery below this, a point waits for the charger. 0: never waits; 100: always on battery. */
  batteryLeastPercent: z.int().min(0).max(100),
  keep: retentionSchema,
  /** The most disk that points besides the newest image may take; null: no limit. */
  quotaBytes: bytesSchema.nullable(),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** Off, so that nobody is surprised by points they did not ask for. */
export const DEFAULT_SCHEDULE: Schedule = {
  isOn: false,
  everyMinutes: 240,
  atMinute: 0,
  leastChangedBytes: 50 * MIB,
  changedBytes: null,
  batteryLeastPercent: 20,
  keep: { allHours: 24, days: 7, weeks: 4, months: 3 },
  quotaBytes: null,
};

/** The outcome of the newest look at the schedule that had something to decide. */
export const lookSchema = z.object({
  at: timeMsSchema,
  outcome: z.enum(['took', 'skipped', 'waiting', 'failed']),
  /**
   * Took: `time`, `missed` (at its time the computer was asleep, off or busy), `change`. Skipped:
   * `unchanged`, `little`, `covered` (a newer point exists), `clock` (the clock was set back). Waiting:
   * `busy`, `battery`. Failed: `fault`, with the fault in `text`.
   */
  reason: z.enum([
    'time',
    'missed',
    'change',
    'unchanged',
    'little',
    'covered',
    'clock',
    'busy',
    'battery',
    'fault',
  ]),
  text: z.string().max(2000).nullable(),
  momentId: momentIdSchema.nullable(),
});
export type Look = z.infer<typeof lookSchema>;

/** Why Ebb does not drop a point by itself. */
export const protectionSchema = z.enum([
  'pinned',
  /** Taken, named, noted or taken back from the trash by a person. */
  'person',
  /** Several branches grow from it. */
  'fork',
  /** The newest point of a branch other than Now's. */
  'tip',
  /** Now grows from it. */
  'now',
  /** A task or a program reads it. */
  'in-use',
  /** IT policy says how long automatic points stay: the quota does not drop it before. */
  'limit',
]);
export type Protection = z.infer<typeof protectionSchema>;

export const quotaSchema = z.object({
  quotaBytes: bytesSchema.nullable(),
  /** Disk that points besides the newest image take. The trash is not counted. */
  usedBytes: bytesSchema,
  /** How far over the quota it would still be with everything droppable gone; 0: within the quota. */
  overBytes: bytesSchema,
  /** Why: which protections hold how many bytes, the largest first. */
  heldBy: z.array(z.object({ by: protectionSchema, bytes: bytesSchema })),
});
export type Quota = z.infer<typeof quotaSchema>;

/** What dropping points gives back once the trash is emptied: whole files; for merged ones an estimate. */
export const freesSchema = z.object({
  freesNowBytes: bytesSchema,
  /** At least this much, by merging: the blocks that both images to be merged hold. */
  freesLaterBytes: bytesSchema,
});
export type Frees = z.infer<typeof freesSchema>;

const droppedSchema = z.object({
  momentId: momentIdSchema,
  name: z.string().max(200),
  takenAt: timeMsSchema,
});

export const historyStateSchema = z.object({
  vmId: vmIdSchema,
  schedule: scheduleSchema,
  /** Null while the schedule is off. */
  nextAt: timeMsSchema.nullable(),
  last: lookSchema.nullable(),
  /** When Ebb last dropped automatic points, and how many; null: never. */
  lastDrop: z.object({ at: timeMsSchema, count: z.int().min(1) }).nullable(),
});
export type HistoryState = z.infer<typeof historyStateSchema>;

export const historyPreviewSchema = z.object({
  /** The next times a point would be taken, if enough has changed by then. */
  nextAt: z.array(timeMsSchema).max(5),
  drop: z.array(droppedSchema.extend({ why: z.enum(['thinned', 'quota']) })),
  frees: freesSchema,
  quota: quotaSchema,
});
export type HistoryPreview = z.infer<typeof historyPreviewSchema>;

/** Points that can be cleaned up, oldest first. `frees` is of the candidate and all before it together. */
export const cleanUpSchema = z.object({
  candidates: z.array(droppedSchema.extend({ frees: freesSchema })),
  kept: z.array(z.object({ momentId: momentIdSchema, because: protectionSchema })),
});
export type CleanUp = z.infer<typeof cleanUpSchema>;
