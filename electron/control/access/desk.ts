// Who may come from elsewhere. Named tokens and one-use links become sessions; a session is joined by the channels of its
// pages and uploads, and when it ends, however it ends, they end with it, at once. Secrets are 256 random bits: their hashes need
// no salt, and a look-up by hash tells nothing by how long it takes.
import {
  type AccessSession,
  type AccessToken,
  CHANNELS_OF_SESSION_MAX,
  isLoopback,
  SESSIONS_MAX,
  SESSIONS_OF_ONE_MAX,
  type SessionId,
  sessionIdSchema,
  TOKENS_MAX,
  type TokenId,
  tokenIdSchema,
} from '../../../shared/access.ts';
import type { AuditValues } from '../../../shared/audit.ts';
import { Fault } from '../../../shared/result.ts';
import type { Role } from '../../../shared/roles.ts';
import { type Pace, paceOf, SESSION_PACE } from '../../../shared/rpc/pace.ts';
import type { Clock, Random, Timer } from '../../platform/ports.ts';
import { expired, nameTaken, noSuchSession, noSuchToken, tooManyTokens, unknownToken } from './refusals.ts';
import type { AccessStore, StoredSession, StoredToken } from './store.ts';

const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const LINK_MS = DAY_MS;
const LINKS_MAX = 16;
/** Without an open page; with one it stays as long as `SESSION_MS`. */
const IDLE_MS = DAY_MS / 2;
const SESSION_MS = 30 * DAY_MS;
const SWEEP_MS = 60_000;

export interface AccessPorts {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly hash: (secret: string) => string;
  /** Does a policy allow people who are not at this computer? Throws Fault policy.denied. */
  readonly requireNetwork: () => void;
}

export interface Joined {
  readonly session: Pick<AccessSession, 'id' | 'user' | 'role'>;
  readonly pace: Pace;
}

interface Open {
  readonly address: string;
  readonly close: () => void;
}

interface Living {
  row: StoredSession;
  readonly pace: Pace;
  readonly open: Set<Open>;
}

export class AccessDesk {
  readonly #ports: AccessPorts;
  readonly #tokens: Map<TokenId, StoredToken>;
  readonly #sessions: Map<SessionId, Living>;
  #sweeper: Timer | null = null;

  constructor(ports: AccessPorts) {
    this.#ports = ports;
    this.#tokens = new Map(ports.store.tokens().map(token => [token.id, token]));
    this.#sessions = new Map(ports.store.sessions().map(row => [row.id, this.#living(row)]));
  }

  begin(): void {
    this.#sweeper = this.#ports.clock.every(SWEEP_MS, () => this.sweep());
  }
  stop(): void {
    this.#sweeper?.cancel();
  }

  // ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────

  tokens(): AccessToken[] {
    return [...this.#tokens.values()].flatMap(({ hash: _, name, ...token }) =>
      name === null ? [] : [{ ...token, name }],
    );
  }

  createToken(name: string, role: Role, expiresAt: number | null): { token: AccessToken; secret: string } {
    const now = this.#now();
    if (expiresAt !== null && expiresAt <= now) throw expired();
    const same = this.tokens().some(token => token.name.toLowerCase() === name.toLowerCase());
    if (same) throw nameTaken(name);
    if (this.tokens().length >= TOKENS_MAX) throw tooManyTokens();
    const { row, secret } = this.#newToken(name, role, expiresAt);
    const { hash: _, ...token } = row;
    return { token: { ...token, name }, secret };
  }

  /** For one browser, once. */
  link(role: Role): { token: string; expiresAt: number } {
    const links = [...this.#tokens.values()].filter(({ name }) => name === null);
    for (const { id } of links.slice(0, Math.max(0, links.length - LINKS_MAX + 1))) this.#dropToken(id);
    const expiresAt = this.#now() + LINK_MS;
    return { token: this.#newToken(null, role, expiresAt).secret, expiresAt };
  }

  /** How many sessions ended with it. */
  revokeToken(id: TokenId): number {
    if ((this.#tokens.get(id)?.name ?? null) === null) throw noSuchToken();
    this.#dropToken(id);
    return this.#endAll(({ row }) => row.tokenId === id);
  }

  nameOf(id: TokenId): string {
    return this.#tokens.get(id)?.name ?? '';
  }

  // ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A token becomes a session. Faults: rpc.denied, policy.denied. */
  signIn(secret: string, address: string, agent: string): { session: AccessSession; secret: string } {
    const hash = this.#ports.hash(secret);
    const token = [...this.#tokens.values()].find(known => known.hash === hash);
    if (token === undefined || !this.#isValid(token)) throw unknownToken();
    if (!isLoopback(address)) this.#ports.requireNetwork();
    const now = this.#now();
    if (token.name === null) this.#dropToken(token.id);
    else this.#putToken({ ...token, lastUsedAt: now });
    const own = this.#secret();
    const living = this.#living({
      id: sessionIdSchema.parse(this.#ports.random.uuid()),
      hash: this.#ports.hash(own),
      tokenId: token.name === null ? null : token.id,
      user: token.name ?? '',
      role: token.role,
      address: address.slice(0, 100),
      agent: agent.replace(/\p{Cc}/gu, '').slice(0, 200),
      since: now,
      lastSeenAt: now,
    });
    this.#makeRoom(living.row.user);
    this.#sessions.set(living.row.id, living);
    this.#ports.store.putSession(living.row);
    return { session: this.#told(living), secret: own };
  }

  /** Whose it is; null where nobody is known by it. */
  session(secret: string): AccessSession | null {
    const hash = this.#ports.hash(secret);
    const found = [...this.#sessions.values()].find(({ row }) => row.hash === hash);
    return found === undefined || this.#isOver(found) ? null : this.#told(found);
  }

  sessions(): AccessSession[] {
    return [...this.#sessions.values()]
      .filter(living => !this.#isOver(living))
      .map(living => this.#told(living))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt);
  }

  endSession(id: SessionId): void {
    if (this.#endAll(({ row }) => row.id === id) === 0) throw noSuchSession();
  }

  whoIs(id: SessionId): AuditValues {
    const row = this.#sessions.get(id)?.row;
    return row === undefined ? {} : { user: row.user, role: row.role, address: row.address };
  }

  /**
   * A channel of that session; `close` ends it when the session ends. Null: not any more, too many, or from an address that
   * may not. `leave` when the channel ended by itself.
   */
  join(id: SessionId, address: string, close: () => void): (Joined & { leave: () => void }) | null {
    const living = this.#sessions.get(id);
    if (living === undefined || this.#isOver(living) || living.open.size >= CHANNELS_OF_SESSION_MAX)
      return null;
    if (!isLoopback(address) && !this.#mayNetwork()) return null;
    const open = { address, close };
    living.open.add(open);
    const { user, role } = living.row;
    const leave = (): void => {
      if (!living.open.delete(open) || this.#sessions.get(id) !== living) return;
      this.#put(living, { ...living.row, lastSeenAt: this.#now() });
    };
    return { session: { id, user, role }, pace: living.pace, leave };
  }

  /** Of whoever may not be here any more: their policy, their time. */
  policyChanged(): void {
    if (this.#mayNetwork()) return;
    for (const { open } of [...this.#sessions.values()])
      for (const { address, close } of [...open]) if (!isLoopback(address)) close();
  }

  sweep(): void {
    this.#endAll(living => this.#isOver(living));
    for (const token of [...this.#tokens.values()]) {
      if (this.#isValid(token)) continue;
      this.#endAll(({ row }) => row.tokenId === token.id);
      // A named one stays in the list: that it expired is to be seen.
      if (token.name === null) this.#dropToken(token.id);
    }
  }

  // ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #now = (): number => this.#ports.clock.wallMs();

  #living(row: StoredSession): Living {
    return { row, pace: paceOf(SESSION_PACE, () => this.#ports.clock.monotonicMs()), open: new Set() };
  }

  #told({ row, open }: Living): AccessSession {
    const { hash: _, tokenId: __, ...told } = row;
    const lastSeenAt = open.size > 0 ? this.#now() : row.lastSeenAt;
    return { ...told, lastSeenAt, connections: open.size };
  }

  #isValid({ expiresAt }: StoredToken): boolean {
    return expiresAt === null || this.#now() < expiresAt;
  }

  #isOver({ row, open }: Living): boolean {
    const token = row.tokenId === null ? null : this.#tokens.get(row.tokenId);
    if (token === undefined || (token !== null && !this.#isValid(token))) return true;
    const now = this.#now();
    return now - row.since > SESSION_MS || (open.size === 0 && now - row.lastSeenAt > IDLE_MS);
  }

  #mayNetwork(): boolean {
    try {
      this.#ports.requireNetwork();
      return true;
    } catch (cause) {
      if (cause instanceof Fault) return false;
      throw cause;
    }
  }

  #newToken(name: string | null, role: Role, expiresAt: number | null) {
    const secret = this.#secret();
    const row: StoredToken = {
      id: tokenIdSchema.parse(this.#ports.random.uuid()),
      hash: this.#ports.hash(secret),
      name,
      role,
      createdAt: this.#now(),
      expiresAt,
      lastUsedAt: null,
    };
    this.#putToken(row);
    return { row, secret };
  }

  #putToken(row: StoredToken): void {
    this.#ports.store.putToken(row);
    this.#tokens.set(row.id, row);
  }

  /** Gone for everybody before its row is: what the disk refuses lets nobody in meanwhile. */
  #dropToken(id: TokenId): void {
    this.#tokens.delete(id);
    this.#ports.store.dropToken(id);
  }

  #put(living: Living, row: StoredSession): void {
    living.row = row;
    this.#ports.store.putSession(row);
  }

  #makeRoom(user: string): void {
    const longestAway = (some: readonly Living[]): readonly Living[] =>
      [...some].sort(
        (a, b) => Number(a.open.size > 0) - Number(b.open.size > 0) || a.row.lastSeenAt - b.row.lastSeenAt,
      );
    const all = [...this.#sessions.values()];
    const own = longestAway(all.filter(({ row }) => row.user === user));
    for (const { row } of own.slice(0, Math.max(0, own.length - SESSIONS_OF_ONE_MAX + 1))) this.#end(row.id);
    const left = longestAway([...this.#sessions.values()]);
    for (const { row } of left.slice(0, Math.max(0, left.length - SESSIONS_MAX + 1))) this.#end(row.id);
  }

  #endAll(which: (living: Living) => boolean): number {
    const ended = [...this.#sessions.values()].filter(which);
    for (const { row } of ended) this.#end(row.id);
    return ended.length;
  }

  #end(id: SessionId): void {
    const living = this.#sessions.get(id);
    this.#sessions.delete(id);
    for (const { close } of [...(living?.open ?? [])]) close();
    this.#ports.store.dropSession(id);
  }

  #secret(): string {
    return Buffer.from(this.#ports.random.bytes(SECRET_BYTES)).toString('base64url');
  }
}
