// Long work as people see it: an id, named steps, progress, cancel.
import * as z from 'zod';
import { errorBodySchema } from './errors.ts';
import { taskIdSchema, vmIdSchema } from './ids.ts';
import { timeMsSchema } from './units.ts';

export const taskKindSchema = z.enum([
  'vm.create',
  'vm.clone',
  'vm.start',
  'vm.stop',
  'vm.suspend',
  'vm.delete',
  'moment.go-back',
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
  /** 0 … 1, or null where the work cannot say. */
  progress: z.number().min(0).max(1).nullable(),
  canCancel: z.boolean(),
  startedAt: timeMsSchema,
  endedAt: timeMsSchema.nullable(),
  error: errorBodySchema.nullable(),
});
export type Task = z.infer<typeof taskSchema>;
export type TaskKind = z.infer<typeof taskKindSchema>;
