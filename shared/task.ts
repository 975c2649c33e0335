// Long work as people see it: an id, named steps, progress, pause, cancel.
import * as z from 'zod';
import { errorBodySchema } from './errors.ts';
import { taskIdSchema, vmIdSchema } from './ids.ts';
import { bytesSchema, timeMsSchema } from './units.ts';

export const taskKindSchema = z.enum([
  'vm.create',
  'vm.clone',
  'vm.add',
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
  /** Whether the task can be paused now: not every step can. */
  canPause: z.boolean(),
  /** The task was told to wait; its state stays `running`. It stays paused over a restart of the service. */
  isPaused: z.boolean(),
  startedAt: timeMsSchema,
  endedAt: timeMsSchema.nullable(),
  error: errorBodySchema.nullable(),
  /** Name of the file the task made, which a browser may fetch; null: it made none. */
  fileName: z.string().max(255).nullable().default(null),
});
export type Task = z.infer<typeof taskSchema>;
export type TaskKind = z.infer<typeof taskKindSchema>;

/** How many titles of the tasks an update waits for are told. */
export const TASKS_WAITED_FOR_MAX = 20;

/** Tasks that can be paused in some step, and that begin again when the service ended in their middle. */
export const LONG_KINDS: ReadonlySet<TaskKind> = new Set([
  'vm.create',
  'vm.clone',
  'vm.insert',
  'moment.export',
  'moment.import-delta',
  'vm.verify',
  'vm.compact',
]);
