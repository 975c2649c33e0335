// Messages of QEMU's guest agent: lines in, typed answers out. Pure. The guest writes them: all of it may be garbage, and
// none of it has an id. Spelling is QAPI's.
import * as z from 'zod';

/** What is asked of an agent answers in a few KiB; more is not an agent. */
export const AGENT_LINE_BYTES_MAX = 64 * 1024;
/** The longest error text that is taken from an agent. */
const DESC_MAX = 200;

const reply = z.object({ return: z.unknown() });
const failure = z.object({ error: z.object({ desc: z.string().catch('') }) });

export type AgentAnswer =
  | { readonly kind: 'reply'; readonly value: unknown }
  | { readonly kind: 'failure'; readonly desc: string };

/** Null: no answer. Garbage must never throw. */
export function decodeAgent(line: string): AgentAnswer | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const failed = failure.safeParse(value);
  if (failed.success) return { kind: 'failure', desc: failed.data.error.desc.slice(0, DESC_MAX) };
  const replied = reply.safeParse(value);
  // The schema accepts a missing `return`, too.
  const isReply = replied.success && typeof value === 'object' && value !== null && 'return' in value;
  return isReply ? { kind: 'reply', value: replied.data.return } : null;
}

/** The byte 0xFF as text: no UTF-8 has it, so it ends whatever came before (`guest-sync-delimited`). */
const SENTINEL = '\uFFFD';

/** What comes after the last sentinel, which an agent puts before its answer to a sync; null: none came. */
export const afterSentinel = (line: string): string | null =>
  line.includes(SENTINEL) ? line.slice(line.lastIndexOf(SENTINEL) + 1) : null;

export const encodeAgent = (execute: string, args?: Readonly<Record<string, unknown>>): Buffer =>
  Buffer.from(`${JSON.stringify(args === undefined ? { execute } : { execute, arguments: args })}\n`);

/** The sentinel makes the agent forget half a message that was there before. */
export const encodeSync = (id: number): Buffer =>
  Buffer.concat([Buffer.from([0xff]), encodeAgent('guest-sync-delimited', { id })]);
