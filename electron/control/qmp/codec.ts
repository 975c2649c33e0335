// QMP messages: lines in, typed messages out. Pure. Spelling is QAPI's.
import * as z from 'zod';

/** A line longer than this is not QMP. query-* answers we use are a few KiB. */
export const QMP_LINE_BYTES_MAX = 4 * 1024 * 1024;

const greeting = z.object({
  QMP: z.object({
    version: z.object({ qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }) }),
  }),
});
const reply = z.object({ return: z.unknown(), id: z.int() });
const failure = z.object({
  error: z.object({ class: z.string(), desc: z.string() }),
  id: z.int().optional(),
});
const event = z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).default({}) });

export type QmpMessage =
  | { readonly kind: 'greeting'; readonly version: string }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'failure';
      readonly id: number | null;
      readonly errorClass: string;
      readonly desc: string;
    }
  | { readonly kind: 'event'; readonly name: string; readonly data: Readonly<Record<string, unknown>> };

/** Null: not a QMP message. Garbage must never throw. */
export function decodeQmp(line: string): QmpMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const asEvent = event.safeParse(value);
  if (asEvent.success) return { kind: 'event', name: asEvent.data.event, data: asEvent.data.data };
  const asFailure = failure.safeParse(value);
  if (asFailure.success) {
    const { error, id } = asFailure.data;
    return { kind: 'failure', id: id ?? null, errorClass: error.class, desc: error.desc };
  }
  const asReply = reply.safeParse(value);
  if (asReply.success && typeof value === 'object' && value !== null && 'return' in value) {
    return { kind: 'reply', id: asReply.data.id, value: asReply.data.return };
  }
  const asGreeting = greeting.safeParse(value);
  if (!asGreeting.success) return null;
  const { major, minor, micro } = asGreeting.data.QMP.version.qemu;
  return { kind: 'greeting', version: `${major}.${minor}.${micro}` };
}

export const encodeQmp = (id: number, execute: string, args?: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(args === undefined ? { execute, id } : { execute, arguments: args, id });
