// Who may come from elsewhere: named tokens, which sign in as often as they are said, and the sessions they and one-use links
// begin. Secrets are shown once and kept as hashes.
import * as z from 'zod';
import { ROLES } from './roles.ts';
import { timeMsSchema } from './units.ts';

const uuid = z.uuid().max(36);
export const tokenIdSchema = uuid.brand<'TokenId'>();
export const sessionIdSchema = uuid.brand<'SessionId'>();
export type TokenId = z.infer<typeof tokenIdSchema>;
export type SessionId = z.infer<typeof sessionIdSchema>;

export const roleSchema = z.enum(ROLES);

/** A person or a machine, as the audit names it. */
export const accessNameSchema = z
  .string()
  .max(40)
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._@-]*[\p{L}\p{N}])?$/u,
    'letters, digits, blanks and . _ @ - between them, 40 at most',
  );

export const TOKENS_MAX = 64;
/** Not used yet; the oldest makes room. */
export const LINKS_MAX = 16;
export const SESSIONS_MAX = 256;
/** Of one name: more than a person has browsers. The one that was away longest makes room. */
export const SESSIONS_OF_ONE_MAX = 16;
/** Pages, and what they send, of one session at the same time. */
export const CHANNELS_OF_SESSION_MAX = 16;

export const accessTokenSchema = z.object({
  id: tokenIdSchema,
  name: accessNameSchema,
  role: roleSchema,
  createdAt: timeMsSchema,
  /** Null: until it is revoked. */
  expiresAt: timeMsSchema.nullable(),
  lastUsedAt: timeMsSchema.nullable(),
});
export type AccessToken = z.infer<typeof accessTokenSchema>;

/** Good for one sign-in that has not been. */
export const accessLinkSchema = accessTokenSchema
  .pick({ id: true, role: true, createdAt: true })
  .extend({ expiresAt: timeMsSchema });
export type AccessLink = z.infer<typeof accessLinkSchema>;

export const accessSessionSchema = z.object({
  id: sessionIdSchema,
  /** The name of its token; empty: a one-use link began it. */
  user: z.string().max(40),
  role: roleSchema,
  address: z.string().max(100),
  /** As the browser calls itself; it may say anything. */
  agent: z.string().max(200),
  since: timeMsSchema,
  lastSeenAt: timeMsSchema,
  /** Open now. */
  connections: z.int().min(0),
});
export type AccessSession = z.infer<typeof accessSessionSchema>;

/** Of this computer, whatever form it is written in. */
export const isLoopback = (address: string): boolean =>
  /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address) ||
  address === '::1' ||
  address === 'localhost';

/** Who asks, for limits: an IPv6 host has all addresses of its network of 64 bits. */
export function sourceOf(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  const ipv4 = /^::ffff:(\d+(?:\.\d+){3})$/.exec(bare)?.[1];
  if (ipv4 !== undefined || !bare.includes(':')) return ipv4 ?? bare;
  const [start = '', end] = bare.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [first, last] = [groups(start), groups(end)];
  // What `::` leaves out.
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const all = end === undefined ? first : [...first, ...zeros, ...last];
  return all
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
