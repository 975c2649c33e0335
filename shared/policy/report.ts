// The policy in force, who set it, and what is wrong with its files: for `ebb policy` and the Managed page.
import * as z from 'zod';
import { problemSchema } from './file.ts';

export const policyValueSchema = z.union([z.number(), z.boolean(), z.string(), z.null()]);
export type PolicyValue = z.infer<typeof policyValueSchema>;

const layerSchema = z.enum(['managed', 'recommended']);

export const policyRowSchema = z.object({
  key: z.string().max(100),
  /** The value in force; amounts are KiB, bytes or counts. Null: no value, or the built-in one. */
  value: policyValueSchema,
  /** Who set the value in force. */
  from: z.enum(['managed', 'user', 'recommended', 'default']),
  /** The bounds that managed files set; null: none. */
  min: z.number().nullable(),
  max: z.number().nullable(),
  allowed: z.array(z.string()).nullable(),
  /** A managed file binds the key. */
  isManaged: z.boolean(),
  /** Managed files leave people nothing to choose. */
  isLocked: z.boolean(),
  /** The reason that the binding rule gives, and the organization and contact of its file. */
  reason: z.string().max(200),
  organization: z.string().max(80),
  contact: z.string().max(200),
  /** Every source that sets the key, the binding ones first. */
  said: z
    .array(
      z.object({
        /** The path of a file, or `user` or `default`. */
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
  /** `last-good`: the file can no longer be read, or trusted; what it said before is in force. */
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
