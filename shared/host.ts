// The machine Ebb runs on, and what is right or wrong with it.
import * as z from 'zod';
import { ROLES } from './roles.ts';

export const checkSchema = z.object({
  id: z.string().max(60),
  title: z.string().max(120),
  state: z.enum(['ok', 'warn', 'fail']),
  /** What was found. */
  found: z.string().max(1000),
  /** The exact command or step that mends it; empty: nothing is needed. */
  fix: z.string().max(1000),
});
export type Check = z.infer<typeof checkSchema>;

export const doctorReportSchema = z.object({ ok: z.boolean(), checks: z.array(checkSchema) });
export type DoctorReport = z.infer<typeof doctorReportSchema>;

export const appInfoSchema = z.object({
  version: z.string(),
  protocol: z.int(),
  pid: z.int(),
  dataFolder: z.string(),
  shell: z.string(),
  /** The caller's role. */
  role: z.enum(ROLES),
  /** The name of the token the caller signed in with; empty: the caller has no name. */
  user: z.string().max(40),
  /** True for a browser with a session, which can sign out. */
  isSignedIn: z.boolean(),
});
export type AppInfo = z.infer<typeof appInfoSchema>;
