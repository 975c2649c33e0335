// Access to Ebb from browsers: named tokens, which sign in any number of times, one-use links, and the
// sessions that both begin. A secret is shown once; only its hash is kept.
import * as z from 'zod';
import { ROLES } from './roles.ts';
import { timeMsSchema } from './units.ts';

const uuid = z.uuid().max(36);
export const tokenIdSchema = uuid.brand<'TokenId'>();
export const sessionIdSchema = uuid.brand<'SessionId'>();
export type TokenId = z.infer<typeof tokenIdSchema>;
export type SessionId = z.infer<typeof sessionIdSchema>;

export const roleSchema = z.enum(ROLES);

/** The name of a token's holder, a person or a machine, as the audit records it. */
export const accessNameSchema = z
  .string()
  .max(40)
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._@-]*[\p{L}\p{N}])?$/u,
    'letters, digits, blanks and . _ @ - between them, 40 at most',
  );

export const TOKENS_MAX = 64;
/** Unused one-use links at the same time. One more replaces the oldest. */
export const LINKS_MAX = 16;
export const SESSIONS_MAX = 256;
/** Sessions of one name: more than a person has browsers. One more ends the session that was away longest. */
export const SESSIONS_OF_ONE_MAX = 16;
/** Connections of one session at the same time: each open page, upload or download is one. */
export const CHANNELS_OF_SESSION_MAX = 16;

export const accessTokenSchema = z.object({
  id: tokenIdSchema,
  name: accessNameSchema,
  role: roleSchema,
  createdAt: timeMsSchema,
  /** Null: the token is good until it is revoked. */
  expiresAt: timeMsSchema.nullable(),
  lastUsedAt: timeMsSchema.nullable(),
});
export type AccessToken = z.infer<typeof accessTokenSchema>;

/** A one-use link that nobody has signed in with yet. */
export const accessLinkSchema = accessTokenSchema
  .pick({ id: true, role: true, createdAt: true })
  .extend({ expiresAt: timeMsSchema });
export type AccessLink = z.infer<typeof accessLinkSchema>;

export const accessSessionSchema = z.object({
  id: sessionIdSchema,
  /** The name of the token that began the session; empty: a one-use link began it. */
  user: z.string().max(40),
  role: roleSchema,
  address: z.string().max(100),
  /** The browser's own name for itself (User-Agent). Untrusted: a browser may say anything. */
  agent: z.string().max(200),
  since: timeMsSchema,
  lastSeenAt: timeMsSchema,
  /** Connections of the session that are open now. */
  connections: z.int().min(0),
});
export type AccessSession = z.infer<typeof accessSessionSchema>;

/** Whether the address is this computer's loopback, in any of its written forms. */
export const isLoopback = (address: string): boolean =>
  /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address) ||
  address === '::1' ||
  address === 'localhost';

/** The source that limits per address count by: of IPv6 the /64 network, since one host may use all of it. */
export function sourceOf(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  const ipv4 = /^::ffff:(\d+(?:\.\d+){3})$/.exec(bare)?.[1];
  if (ipv4 !== undefined || !bare.includes(':')) return ipv4 ?? bare;
  const [start = '', end] = bare.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [first, last] = [groups(start), groups(end)];
  // The groups of zeros that `::` stands for.
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const all = end === undefined ? first : [...first, ...zeros, ...last];
  return all
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
