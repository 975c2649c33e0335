// Who may speak to the gateway: one-use tokens that become session cookies. Guests reach the host's loopback through
// user networking, so being on this machine proves nothing (DESIGN §8). Keeps hashes only.
import { createHash } from 'node:crypto';
import type { Role } from '../../../shared/roles.ts';
import type { Random } from '../../platform/ports.ts';

const SECRET_BYTES = 32;
/** More than a person has browsers; the oldest is signed out. */
const SESSIONS_MAX = 16;
const TOKENS_MAX = 16;

// Looked up by hash: how long a look-up takes tells nothing about the secret.
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

function remember(known: Map<string, Role>, hash: string, role: Role, most: number): void {
  known.set(hash, role);
  for (const oldest of known.keys()) {
    if (known.size <= most) return;
    known.delete(oldest);
  }
}

export class Sessions {
  readonly #random: Random;
  readonly #tokens = new Map<string, Role>();
  readonly #sessions = new Map<string, Role>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** For the link a person opens; good for one exchange. */
  issueToken(role: Role): string {
    const token = this.#secret();
    remember(this.#tokens, hashOf(token), role, TOKENS_MAX);
    return token;
  }

  /** The new session's secret, or null where the token is unknown or was used. */
  exchange(token: string): string | null {
    const role = this.#tokens.get(hashOf(token));
    if (role === undefined) return null;
    this.#tokens.delete(hashOf(token));
    const secret = this.#secret();
    remember(this.#sessions, hashOf(secret), role, SESSIONS_MAX);
    return secret;
  }

  /** What whoever has that secret may do; null where nobody is known by it. */
  roleOf(secret: string | null): Role | null {
    return secret === null ? null : (this.#sessions.get(hashOf(secret)) ?? null);
  }

  #secret(): string {
    return Buffer.from(this.#random.bytes(SECRET_BYTES)).toString('base64url');
  }
}

/** Browsers share cookies between ports of one host: the name keeps two gateways apart. */
export const cookieName = (port: number): string => `ebb-session-${port}`;

export function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
}
