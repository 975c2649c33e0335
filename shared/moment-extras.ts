// What control keeps of a moment beside its points: how whole it is, and what else was saved with it.
import * as z from 'zod';
import { configurationSchema } from './configuration.ts';
import { bytesSchema } from './units.ts';

/** `off`: the VM was off; `crash`: as after a power cut; `frozen`: file systems at rest; `memory`: with all it was doing. */
export const consistencySchema = z.enum(['off', 'crash', 'frozen', 'memory']);
export type Consistency = z.infer<typeof consistencySchema>;

export const momentExtrasSchema = z.object({
  consistency: consistencySchema,
  /** Of the saved memory; null where none was saved. */
  memoryBytes: bytesSchema.nullable(),
  hasScreen: z.boolean(),
  /** As the VM was set up then. */
  configuration: configurationSchema.optional(),
});
export type MomentExtras = z.infer<typeof momentExtrasSchema>;
