// People from elsewhere, over the wire: named tokens and links of each role, the sessions they begin and
// their pages, at the real desk, doors and guard. An account of its own knows who may be here; letting others
// through, or keeping these out, is a violation.
import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { AccessDesk } from '../../../electron/control/access/desk.ts';
import { Doors, type DoorsPorts } from '../../../electron/control/access/doors.ts';
import { openAccessStore } from '../../../electron/control/access/store.ts';
import type { Clock } from '../../../electron/platform/ports.ts';
import type { SessionId, TokenId } from '../../../shared/access.ts';
import { Fault } from '../../../shared/result.ts';
import { mayCall, type Role } from '../../../shared/roles.ts';
import { type Client, connectClient } from '../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import type { MethodName } from '../../../shared/rpc/table.ts';
import { exampleOf } from '../../support/example.ts';
import { memoryPair } from '../../support/memory-channel.ts';
import { Seeded } from '../../support/seeded.ts';

type Method = MethodName<Contract>;
export const METHODS = Object.keys(contract.methods) as Method[];
const EXAMPLES = new Map<Method, unknown>();
const HERE = '127.0.0.1';

export interface Token {
  readonly id: TokenId;
  /** Null: a link. */
  readonly name: string | null;
  readonly role: Role;
  readonly secret: string;
  readonly until: number;
  isRevoked: boolean;
}
export interface Person {
  readonly token: Token;
  readonly sessionId: SessionId;
  hasEnded: boolean;
  page: Client<Contract> | null;
}
export interface PeoplePorts extends Omit<DoorsPorts, 'access'> {
  readonly db: Database.Database;
  readonly clock: Clock;
  readonly mayBrowse: () => boolean;
  /** May a policy forbid this method, whoever calls it? */
  readonly mayForbid: (method: Method) => boolean;
  readonly isCutOff: boolean;
  readonly say: (what: string) => void;
}

export class People {
  readonly all: Person[] = [];
  readonly tokens: Token[] = [];
  tried = 0;
  readonly #random: Seeded;
  #ports!: PeoplePorts;
  #access!: AccessDesk;
  #doors!: Doors;
  /** The method that the last call reached. */
  #reached: Method | null = null;

  constructor(seed: number) {
    this.#random = new Seeded(seed);
  }

  /** A control begins, over what there is. The pages of the control before it are gone. */
  begin(ports: PeoplePorts): void {
    for (const person of this.all) this.#leave(person);
    this.#ports = ports;
    this.#access = new AccessDesk({
      store: openAccessStore(ports.db),
      clock: ports.clock,
      random: {
        uuid: () => `20000000-0000-4000-8000-${String(this.#random.below(1e12)).padStart(12, '0')}`,
        bytes: length => Uint8Array.from({ length }, () => this.#random.below(256)),
      },
      hash: text => createHash('sha256').update(text).digest('hex'),
      requireBrowsers: () => {
        if (!ports.desk.policy.may('headless.access')) throw denied();
      },
      requireNetwork: () => {
        throw denied();
      },
      warn: text => ports.say(text),
    });
    // Where this is switched off, people who must go are not told.
    const join: AccessDesk['join'] = (id, address) => this.#access.join(id, address, () => undefined);
    const deaf = { join, policyChanged: () => undefined } as unknown as AccessDesk;
    this.#doors = new Doors({ ...ports, access: ports.isCutOff ? this.#access : deaf });
  }

  reached(method: Method): void {
    this.#reached = method;
  }

  token(role: Role, name: string | null, lifeMs: number): Token {
    const until = this.#ports.clock.wallMs() + lifeMs;
    const made =
      name === null
        ? this.#linkOf(role)
        : (({ token, secret }) => ({ id: token.id, secret, until }))(
            this.#access.createToken(name, role, until),
          );
    const token = { ...made, name, role, isRevoked: false };
    this.tokens.push(token);
    return token;
  }

  #linkOf(role: Role) {
    const { id, token, expiresAt } = this.#access.link(role);
    return { id, secret: token, until: expiresAt };
  }

  /** Null: the person was not let in. */
  async come(token: Token): Promise<Person | null> {
    const isGood = this.#isGood(token) && this.#ports.mayBrowse();
    const session = this.#signIn(token.secret);
    if ((session !== null) !== isGood)
      this.#ports.say(`${told(token)} ${isGood ? 'was not let in' : 'was let in'}`);
    if (session === null) return null;
    const person: Person = { token, sessionId: session, hasEnded: false, page: null };
    // A link is good for one sign-in.
    if (token.name === null) token.isRevoked = true;
    this.all.push(person);
    await this.#open(person);
    return person;
  }

  #signIn(secret: string): SessionId | null {
    try {
      return this.#access.signIn(secret, HERE, 'a simulation').session.id;
    } catch (cause) {
      if (cause instanceof Fault) return null;
      throw cause;
    }
  }

  revoke(token: Token): void {
    this.#access.revokeToken(token.id);
    token.isRevoked = true;
    for (const person of this.all) if (person.token === token) person.hasEnded = true;
  }

  end(person: Person): void {
    this.#access.endSession(person.sessionId);
    person.hasEnded = true;
  }

  sweep(): void {
    this.#access.sweep();
  }

  /** Whether the person may be here, by our own account. */
  mayBeHere({ token, hasEnded }: Person): boolean {
    if (hasEnded || !this.#ports.mayBrowse()) return false;
    return token.name === null || this.#isGood(token);
  }

  #isGood({ isRevoked, until }: Token): boolean {
    return !isRevoked && this.#ports.clock.wallMs() < until;
  }

  async #open(person: Person): Promise<void> {
    const { near, far } = memoryPair();
    near.onClose(() => {
      person.page = null;
    });
    near.send(JSON.stringify({ session: person.sessionId, address: HERE }));
    const page = connectClient(contract, near);
    this.#doors.serve(far, 'browser');
    person.page = page;
    await page.ready.catch(() => undefined);
  }

  #leave(person: Person): void {
    person.page?.close();
    person.page = null;
  }

  /**
   * A call by that person; answers whether it was done. A Fault is a refusal; any other wrong is reported.
   */
  async call(person: Person, method: Method, params: unknown): Promise<boolean> {
    if (person.page === null) await this.#open(person);
    const mayBeHere = this.mayBeHere(person);
    const isAllowed = mayBeHere && mayCall(person.token.role, method);
    this.#reached = null;
    this.tried++;
    const page = person.page as { call(method: string, params: unknown): Promise<unknown> } | null;
    const refusal = await (page?.call(method, params) ?? Promise.reject(gone())).then(
      () => null,
      (cause: unknown) => {
        if (cause instanceof Fault) return cause.body.code;
        throw cause;
      },
    );
    const isByPolicy = refusal === 'policy.denied' && this.#ports.mayForbid(method);
    const wasReached = this.#reached === method;
    if (wasReached && !isAllowed)
      this.#ports.say(`${told(person.token)} ${mayBeHere ? '' : 'was gone and '}reached ${method}`);
    if (!wasReached && isAllowed && !isByPolicy)
      this.#ports.say(`${told(person.token)} was kept from ${method}`);
    return refusal === null;
  }

  /** Calls any method, with parameters that its schema accepts. */
  tries(person: Person, method: Method): Promise<boolean> {
    const params = EXAMPLES.get(method) ?? exampleOf(contract.methods[method].params, 'input');
    EXAMPLES.set(method, params);
    return this.call(person, method, params);
  }

  /** No page is open of a person who may not be here. */
  check(after: string): void {
    for (const person of this.all)
      if (person.page !== null && !this.mayBeHere(person))
        this.#ports.say(`${after}: the page of ${told(person.token)} is open`);
  }
}

const told = ({ name, role }: Token): string => `${name ?? 'a link'} (${role})`;

const gone = (): Fault =>
  new Fault({ code: 'rpc.unavailable', what: 'There is no page.', safe: '', todo: '' });
const denied = (): Fault => new Fault({ code: 'policy.denied', what: 'No.', safe: '', todo: '' });
