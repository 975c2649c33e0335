// Owns the tokens and sessions of people who come from elsewhere. A named token, or a link that is good once,
// becomes a session. The channels of a browser's pages and uploads join its session; however it ends, they
// end with it, at once. Secrets are 256 random bits: so their hashes need no salt, and the time that a
// look-up by hash takes tells nothing.
import {
  type AccessLink,
  type AccessSession,
  type AccessToken,
  CHANNELS_OF_SESSION_MAX,
  isLoopback,
  LINKS_MAX,
  type SessionId,
  sessionIdSchema,
  TOKENS_MAX,
  type TokenId,
  tokenIdSchema,
} from '../../../shared/access.ts';
import type { AuditValues } from '../../../shared/audit.ts';
import { Fault } from '../../../shared/result.ts';
import type { Role } from '../../../shared/roles.ts';
import { type Pace, type PaceLimits, paceOf, SESSION_PACE } from '../../../shared/rpc/pace.ts';
import type { Clock, Random, Timer } from '../../platform/ports.ts';
import {
  expired,
  linkNotUsed,
  nameTaken,
  noSuchSession,
  noSuchToken,
  sessionNotForgotten,
  tokenNotForgotten,
  tokenNotMade,
  tooManySignIns,
  tooManyTokens,
  unknownToken,
} from './refusals.ts';
import { doAll, makingRoom, written } from './room.ts';
import type { AccessStore, StoredSession, StoredToken } from './store.ts';

const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const LINK_MS = DAY_MS;
/** How long a session lasts without an open page; with one it lasts as long as `SESSION_MS`. */
const IDLE_MS = DAY_MS / 2;
const SESSION_MS = 30 * DAY_MS;
const SWEEP_MS = 60_000;
/** When an open page is stored again: far below `IDLE_MS`, or the next control would find it idle. */
const SEEN_EVERY_MS = 600_000;
/** For one token: a room of browsers at once. At this pace the audit holds five days of sign-ins. */
const SIGN_IN_PACE: PaceLimits = { atOnce: 100, perSecond: 1 / 10 };

export interface AccessPorts {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly hash: (secret: string) => string;
  /** Does a policy allow browsers at all? Throws Fault policy.denied. */
  readonly requireBrowsers: () => void;
  /** Does a policy allow people who are not at this computer? Throws Fault policy.denied. */
  readonly requireNetwork: () => void;
  readonly warn: (text: string) => void;
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
  /** `lastSeenAt` as it is in the store, written only now and then; -Infinity: nothing is stored yet. */
  storedSeenAt: number;
  readonly pace: Pace;
  readonly open: Set<Open>;
}

export class AccessDesk {
  readonly #ports: AccessPorts;
  readonly #tokens: Map<TokenId, StoredToken>;
  readonly #sessions: Map<SessionId, Living>;
  readonly #signIns = new Map<TokenId, Pace>();
  /** Tokens and sessions that let nobody in, whose rows are still to be dropped: a disk may refuse that. */
  readonly #deadTokens = new Set<TokenId>();
  readonly #deadSessions = new Set<SessionId>();
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
    this.#tried(() => this.#noteSeen(0));
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

  /** The links that nobody has signed in with yet. */
  links(): AccessLink[] {
    return [...this.#tokens.values()].flatMap(token => {
      const { id, name, role, createdAt, expiresAt } = token;
      if (name !== null || expiresAt === null || !this.#isValid(token)) return [];
      return [{ id, role, createdAt, expiresAt }];
    });
  }

  /** Makes a link, which lets one browser in, once. The oldest links go where there are too many. */
  link(role: Role): { id: TokenId; token: string; expiresAt: number } {
    const links = [...this.#tokens.values()].filter(({ name }) => name === null);
    for (const { id } of links.slice(0, Math.max(0, links.length - LINKS_MAX + 1))) this.#deadTokens.add(id);
    written(() => this.#dropDead(), tokenNotMade);
    const expiresAt = this.#now() + LINK_MS;
    const { row, secret } = this.#newToken(null, role, expiresAt);
    return { id: row.id, token: secret, expiresAt };
  }

  /** Answers how many sessions ended. Where the disk refuses, the token stays listed, to be revoked again. */
  revokeToken(id: TokenId): number {
    if (!this.#tokens.has(id)) throw noSuchToken();
    this.#deadTokens.add(id);
    const ended = this.#end(({ row }) => row.tokenId === id);
    written(() => this.#dropDead(), tokenNotForgotten);
    return ended;
  }

  whatIs(id: TokenId): AuditValues {
    const token = this.#tokens.get(id);
    if (token === undefined) return {};
    return token.name === null ? { link: id, role: token.role } : { name: token.name };
  }

  // ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Makes a session of a token or link. A session that cannot be written lasts as long as control; a link
   * must be gone for good before. `link`: the link that was used. Faults: rpc.denied, policy.denied,
   * limit.reached, disk.full, disk.io.
   */
  signIn(
    secret: string,
    address: string,
    agent: string,
  ): { session: AccessSession; secret: string; link: TokenId | null } {
    const hash = this.#ports.hash(secret);
    const token = [...this.#tokens.values()].find(known => known.hash === hash);
    if (token === undefined || !this.#isValid(token)) throw unknownToken();
    this.#require(address);
    if (!this.#signInPace(token.id).take()) throw tooManySignIns();
    const now = this.#now();
    if (token.name === null) this.#spend(token.id);
    else this.#note({ ...token, lastUsedAt: now });
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
    living.storedSeenAt = Number.NEGATIVE_INFINITY;
    this.#makeRoom(living.row.user);
    this.#sessions.set(living.row.id, living);
    this.#tried(() => this.#store(living));
    return { session: this.#told(living), secret: own, link: token.name === null ? token.id : null };
  }

  /** The session of this secret; null: there is none. Fault policy.denied. */
  session(secret: string): AccessSession | null {
    const hash = this.#ports.hash(secret);
    const found = [...this.#sessions.values()].find(({ row }) => row.hash === hash);
    if (found === undefined || this.#isOver(found)) return null;
    this.#ports.requireBrowsers();
    return this.#told(found);
  }

  sessions(): AccessSession[] {
    return [...this.#sessions.values()]
      .filter(living => !this.#isOver(living))
      .map(living => this.#told(living))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt);
  }

  endSession(id: SessionId): void {
    const ended = this.#end(({ row }) => row.id === id);
    if (ended === 0 && !this.#deadSessions.has(id)) throw noSuchSession();
    written(() => this.#dropDead(), sessionNotForgotten);
  }

  whoIs(id: SessionId): AuditValues {
    const row = this.#sessions.get(id)?.row;
    return row === undefined ? {} : { user: row.user, role: row.role, address: row.address };
  }

  /**
   * Joins a channel to a session; `close` is called when the session ends. Null: the session is over, has too
   * many channels, is joined too often, or the address may not join. Call `leave` when the channel ends by
   * itself; it writes nothing, because nobody there could catch what it throws.
   */
  join(id: SessionId, address: string, close: () => void): (Joined & { leave: () => void }) | null {
    const living = this.#sessions.get(id);
    if (living === undefined || this.#isOver(living) || living.open.size >= CHANNELS_OF_SESSION_MAX)
      return null;
    if (!living.pace.take() || !this.#may(() => this.#require(address))) return null;
    const open = { address, close };
    living.open.add(open);
    const { user, role } = living.row;
    const leave = (): void => {
      if (living.open.delete(open)) living.row = { ...living.row, lastSeenAt: this.#now() };
    };
    return { session: { id, user, role }, pace: living.pace, leave };
  }

  /** Closes the channels of browsers that the policy does not allow any more. */
  policyChanged(): void {
    for (const { open } of [...this.#sessions.values()])
      for (const { address, close } of [...open]) if (!this.#may(() => this.#require(address))) close();
  }

  /** Throws nothing: what the disk refuses is tried again at the next sweep. */
  sweep(): void {
    // A named token stays in the list: people are to see that it expired.
    for (const token of this.#tokens.values())
      if (token.name === null && !this.#isValid(token)) this.#deadTokens.add(token.id);
    this.#end(living => this.#isOver(living));
    this.#tried(() => this.#dropDead());
    this.#tried(() => this.#noteSeen(SEEN_EVERY_MS));
  }

  // ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #now = (): number => this.#ports.clock.wallMs();

  #living(row: StoredSession): Living {
    return { row, storedSeenAt: row.lastSeenAt, pace: this.#pace(SESSION_PACE), open: new Set() };
  }

  #pace(limits: PaceLimits): Pace {
    return paceOf(limits, () => this.#ports.clock.monotonicMs());
  }

  #signInPace(id: TokenId): Pace {
    const pace = this.#signIns.get(id) ?? this.#pace(SIGN_IN_PACE);
    this.#signIns.set(id, pace);
    return pace;
  }

  #told({ row, open }: Living): AccessSession {
    const { hash: _, tokenId: __, ...told } = row;
    const lastSeenAt = open.size > 0 ? this.#now() : row.lastSeenAt;
    return { ...told, lastSeenAt, connections: open.size };
  }

  #isValid({ id, expiresAt }: StoredToken): boolean {
    return !this.#deadTokens.has(id) && (expiresAt === null || this.#now() < expiresAt);
  }

  #isOver({ row, open }: Living): boolean {
    const token = row.tokenId === null ? null : this.#tokens.get(row.tokenId);
    if (token === undefined || (token !== null && !this.#isValid(token))) return true;
    const now = this.#now();
    return now - row.since > SESSION_MS || (open.size === 0 && now - row.lastSeenAt > IDLE_MS);
  }

  #require(address: string): void {
    this.#ports.requireBrowsers();
    if (!isLoopback(address)) this.#ports.requireNetwork();
  }

  #may(require: () => void): boolean {
    try {
      require();
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
    written(() => this.#ports.store.putToken(row), tokenNotMade);
    this.#tokens.set(row.id, row);
    return { row, secret };
  }

  #note(row: StoredToken): void {
    this.#tokens.set(row.id, row);
    this.#tried(() => this.#ports.store.putToken(row));
  }

  /** Drops a link durably before it lets anybody in: else the next control would let in a second browser. */
  #spend(id: TokenId): void {
    written(() => this.#ports.store.dropToken(id), linkNotUsed);
    this.#tokens.delete(id);
    this.#signIns.delete(id);
  }

  /** Drops all dead rows, then throws the first refusal. Tokens first: without one, its session is over. */
  #dropDead(): void {
    const { store } = this.#ports;
    const tokens = [...this.#deadTokens].map(id => () => {
      store.dropToken(id);
      this.#deadTokens.delete(id);
      this.#tokens.delete(id);
      this.#signIns.delete(id);
    });
    const sessions = [...this.#deadSessions].map(id => () => {
      store.dropSession(id);
      this.#deadSessions.delete(id);
    });
    doAll([...tokens, ...sessions]);
  }

  /** Stores when sessions were last seen: open ones where the stored time is that old, left ones once. */
  #noteSeen(olderThanMs: number): void {
    const now = this.#now();
    const notes = [...this.#sessions.values()].map(living => () => {
      const isOpen = living.open.size > 0;
      if (isOpen) living.row = { ...living.row, lastSeenAt: now };
      const { lastSeenAt } = living.row;
      if (lastSeenAt - living.storedSeenAt > (isOpen ? olderThanMs : 0)) this.#store(living);
    });
    doAll(notes);
  }

  #store(living: Living): void {
    this.#ports.store.putSession(living.row);
    living.storedSeenAt = living.row.lastSeenAt;
  }

  #tried(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#ports.warn(`access: it cannot be written: ${String(cause)}`);
    }
  }

  #makeRoom(user: string): void {
    const ended = makingRoom([...this.#sessions.values()], user);
    this.#end(living => ended.has(living));
    this.#tried(() => this.#dropDead());
  }

  /** Ends these sessions and their channels at once; `#dropDead` drops their rows afterwards. */
  #end(which: (living: Living) => boolean): number {
    const ended = [...this.#sessions.values()].filter(which);
    for (const { row, open } of ended) {
      this.#sessions.delete(row.id);
      this.#deadSessions.add(row.id);
      for (const { close } of [...open]) close();
    }
    return ended.length;
  }

  #secret(): string {
    return Buffer.from(this.#ports.random.bytes(SECRET_BYTES)).toString('base64url');
  }
}
