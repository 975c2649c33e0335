// The frames of a channel. JSON only, though a MessagePort could carry more: one contract, three transports.
import * as z from 'zod';
import { errorBodySchema } from '../errors.ts';

/** Raised when a frame's meaning changes; contract drift is caught by the contract hash. */
export const PROTOCOL_VERSION = 1;
/** A frame longer than this closes the channel. The longest is a timeline at all its limits (T15): 15 MiB. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
export const CALLS_IN_FLIGHT_MAX = 256;
export const SUBSCRIPTIONS_MAX = 256;
/** Event topics are ordered and never coalesced; a reader this far behind is told so and cut off. */
export const EVENT_QUEUE_MAX = 1024;

const id = z.int().min(0);
export const frameSchema = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('hello'), protocol: z.int(), contract: z.string().max(64) }),
  z.strictObject({ t: z.literal('request'), id, method: z.string().max(64), params: z.unknown() }),
  z.strictObject({ t: z.literal('cancel'), id }),
  z.strictObject({
    t: z.literal('subscribe'),
    id,
    topic: z.string().max(64),
    key: z.string().max(64).nullable(),
  }),
  z.strictObject({ t: z.literal('unsubscribe'), id }),
  z.strictObject({ t: z.literal('reply'), id, result: z.unknown() }),
  z.strictObject({ t: z.literal('fault'), id, error: errorBodySchema }),
  z.strictObject({ t: z.literal('event'), id, revision: z.int().min(0), payload: z.unknown() }),
]);
export type Frame = z.infer<typeof frameSchema>;

/** Null for anything that is not one frame of ours. */
export function parseFrame(text: string): Frame | null {
  try {
    const parsed = frameSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Every transport measures a frame alike: UTF-8 bytes. Encodes only where the length leaves a doubt. */
export const isOversize = (text: string): boolean =>
  text.length > FRAME_BYTES_MAX ||
  (text.length * 3 > FRAME_BYTES_MAX && new TextEncoder().encode(text).length > FRAME_BYTES_MAX);
