// Automatic history as the contract speaks of it: when points are taken by themselves, how long those are kept, and what
// cleaning up would drop. Only points that nobody asked for are ever dropped by themselves.
import * as z from 'zod';
import { momentIdSchema, vmIdSchema } from './ids.ts';
import { bytesSchema, MIB, timeMsSchema } from './units.ts';

/** Each divides a day, so that the times of day are the same every day. */
export const INTERVAL_MINUTES = [15, 30, 60, 120, 240, 480, 720, 1440] as const;

/** How long automatic points stay: all of the last hours, then the newest of a day, week and month that has any. */
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
  /** Local time of one of the points, in minutes after midnight; the others stand around it. */
  atMinute: z.int().min(0).max(1439),
  /** Less than this written since the newest point: none is taken. 0: any change is enough. */
  leastChangedBytes: bytesSchema,
  /** So much written since the newest point: one is taken at once; null: by the clock alone. */
  changedBytes: bytesSchema.min(MIB).nullable(),
  /** On battery below this, a point waits for the charger. 0: never waits; 100: always on battery. */
  batteryLeastPercent: z.int().min(0).max(100),
  keep: retentionSchema,
  /** What points besides the newest image may take; null: as much as there is. */
  quotaBytes: bytesSchema.nullable(),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** Off: nobody is surprised by points they did not ask for. */
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

/** What became of the newest look that had something to decide. */
export const lookSchema = z.object({
  at: timeMsSchema,
  outcome: z.enum(['took', 'skipped', 'waiting', 'failed']),
  /**
   * Took: `time`, `missed` (asleep, switched off or busy then), `change`. Skipped: `unchanged`, `little`, `covered` (there is
   * a newer point), `clock` (it was set back). Waiting: `busy`, `battery`. Failed: `fault`, which `text` tells.
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

/** Why a point is not dropped by itself. */
export const protectionSchema = z.enum([
  'pinned',
  /** Taken, named, noted or taken back from the trash by a person. */
  'person',
  /** Several lines grow from it. */
  'fork',
  /** The newest of a line that is not Now's. */
  'tip',
  /** Now grows from it. */
  'now',
  /** A task or a program reads it. */
  'in-use',
  /** From the quota: a limit of this computer says how long automatic points stay. */
  'limit',
]);
export type Protection = z.infer<typeof protectionSchema>;

export const quotaSchema = z.object({
  quotaBytes: bytesSchema.nullable(),
  /** What points besides the newest image take. The trash is not counted. */
  usedBytes: bytesSchema,
  /** By what it is still exceeded once all that may go is gone; 0 where it is not. */
  overBytes: bytesSchema,
  /** Why: who holds how much of it, the largest first. */
  heldBy: z.array(z.object({ by: protectionSchema, bytes: bytesSchema })),
});
export type Quota = z.infer<typeof quotaSchema>;

/** What dropping points gives back once the trash is emptied: files that go, and about what merging the others does. */
export const freesSchema = z.object({
  freesNowBytes: bytesSchema,
  /** At least: what is in both of two images. */
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
  /** Null while it is off. */
  nextAt: timeMsSchema.nullable(),
  last: lookSchema.nullable(),
  /** Of automatic points: when some were dropped last, and how many. */
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

/** What can be cleaned up, oldest first: `frees` is of this one and all before it together. */
export const cleanUpSchema = z.object({
  candidates: z.array(droppedSchema.extend({ frees: freesSchema })),
  kept: z.array(z.object({ momentId: momentIdSchema, because: protectionSchema })),
});
export type CleanUp = z.infer<typeof cleanUpSchema>;
