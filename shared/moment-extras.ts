// What control keeps of a moment beside its points: how consistent it is, and what else was saved with it.
import * as z from 'zod';
import { configurationSchema } from './configuration.ts';
import { bytesSchema } from './units.ts';

/**
 * `off`: the VM was off; `crash`: the disks are as after a power cut; `frozen`: the guest's file systems were
 * at rest; `memory`: the VM's memory was saved too.
 */
export const consistencySchema = z.enum(['off', 'crash', 'frozen', 'memory']);
export type Consistency = z.infer<typeof consistencySchema>;

export const momentExtrasSchema = z.object({
  consistency: consistencySchema,
  /** Size of the saved memory; null: none was saved. */
  memoryBytes: bytesSchema.nullable(),
  hasScreen: z.boolean(),
  /** The VM's setup at that moment. */
  configuration: configurationSchema.optional(),
});
export type MomentExtras = z.infer<typeof momentExtrasSchema>;
