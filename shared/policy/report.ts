// What is in force, who set it, and what is wrong with files: for `ebb policy` and the Managed page.
import * as z from 'zod';
import { problemSchema } from './file.ts';

export const policyValueSchema = z.union([z.number(), z.boolean(), z.string(), z.null()]);
export type PolicyValue = z.infer<typeof policyValueSchema>;

const layerSchema = z.enum(['managed', 'recommended']);

export const policyRowSchema = z.object({
  key: z.string().max(100),
  /** In force; of amounts KiB, bytes or counts. Null: none, or what is built in. */
  value: policyValueSchema,
  /** Whose value that is. */
  from: z.enum(['managed', 'user', 'recommended', 'default']),
  /** What managed files leave of it; null: everything. */
  min: z.number().nullable(),
  max: z.number().nullable(),
  allowed: z.array(z.string()).nullable(),
  /** A managed file binds it. */
  isManaged: z.boolean(),
  /** People can change nothing about it. */
  isLocked: z.boolean(),
  /** Of the rule that binds, as it says; and whose it is. */
  reason: z.string().max(200),
  organization: z.string().max(80),
  contact: z.string().max(200),
  /** Everybody who speaks of it, those who bind first. */
  said: z
    .array(
      z.object({
        /** A file, or `user` or `default`. */
        by: z.string(),
        line: z.int().min(0),
        layer: z.enum(['managed', 'recommended', 'user', 'default']),
        text: z.string(),
        effect: z.enum(['binds', 'beaten']),
      }),
    )
    .max(200),
});
export type PolicyRow = z.infer<typeof policyRowSchema>;

export const policyFileStateSchema = z.object({
  path: z.string(),
  layer: layerSchema,
  /** `last-good`: what it said before it could no longer be read, or trusted. */
  state: z.enum(['in-force', 'last-good', 'in-part', 'refused']),
  problems: z.array(problemSchema).max(200),
});
export type PolicyFileState = z.infer<typeof policyFileStateSchema>;

export const policyReportSchema = z.object({
  /** Where files are looked for. */
  folders: z.array(z.string()),
  organization: z.string().max(80),
  contact: z.string().max(200),
  files: z.array(policyFileStateSchema).max(400),
  rows: z.array(policyRowSchema).max(100),
  /** Where files contradict each other, and who won. */
  conflicts: z.array(z.string().max(2000)).max(200),
});
export type PolicyReport = z.infer<typeof policyReportSchema>;
