// Long work as people see it: an id, named steps, progress, pause, cancel.
import * as z from 'zod';
import { errorBodySchema } from './errors.ts';
import { taskIdSchema, vmIdSchema } from './ids.ts';
import { bytesSchema, timeMsSchema } from './units.ts';

export const taskKindSchema = z.enum([
  'vm.create',
  'vm.clone',
  'vm.insert',
  'vm.start',
  'vm.stop',
  'vm.suspend',
  'vm.delete',
  'moment.take',
  'moment.go-back',
  'moment.peek',
  'moment.export',
  'moment.import-delta',
  'vm.verify',
  'vm.compact',
]);

export const taskSchema = z.object({
  id: taskIdSchema,
  kind: taskKindSchema,
  vmId: vmIdSchema.nullable(),
  title: z.string().max(200),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** The step under way, in words ("converting the disk"). */
  step: z.string().max(200),
  /** Of the step under way; null where the work cannot say. */
  bytesDone: bytesSchema.nullable(),
  bytesTotal: bytesSchema.nullable(),
  /** 0 … 1, or null where the work cannot say. */
  progress: z.number().min(0).max(1).nullable(),
  canCancel: z.boolean(),
  /** Now: not every step of a task can be. */
  canPause: z.boolean(),
  /** Still `running`, and told to wait; a restart of the service keeps it so. */
  isPaused: z.boolean(),
  startedAt: timeMsSchema,
  endedAt: timeMsSchema.nullable(),
  error: errorBodySchema.nullable(),
  /** Of the file it made, which a browser may fetch; null: it made none. */
  fileName: z.string().max(255).nullable().default(null),
});
export type Task = z.infer<typeof taskSchema>;
export type TaskKind = z.infer<typeof taskKindSchema>;

/** Titles told of what an update waits for. */
export const TASKS_WAITED_FOR_MAX = 20;

/** Those that can be paused in some step, and are begun again where the service ended in the middle. */
export const LONG_KINDS: ReadonlySet<TaskKind> = new Set([
  'vm.create',
  'vm.clone',
  'vm.insert',
  'moment.export',
  'moment.import-delta',
  'vm.verify',
  'vm.compact',
]);
