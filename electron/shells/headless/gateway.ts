// The browser gateway: serves the page, exchanges tokens for sessions, joins WebSockets to control, moves
// uploads and downloads. Every request must name us as Host (DNS rebinding) and every change must come from
// our own page (Origin). Holds no VM state and no list of who may come in: control has both.
import type { AccessSession } from '../../../shared/access.ts';
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault, stackOf } from '../../../shared/result.ts';
import { mayCall } from '../../../shared/roles.ts';
import type { Channel } from '../../../shared/rpc/channel.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import { Told } from '../../platform/told.ts';
import type { WebFiles } from '../../platform/web-files.ts';
import { pageHeaders } from '../../transport/page-headers.ts';
import { relay } from '../../transport/relay.ts';
import type { SocketChannel } from '../../transport/unix-socket.ts';
import type { WebAnswer, WebHandlers, WebRequest } from '../../transport/web-server.ts';
import { cookieName, cookieOf, readCookie } from './cookie.ts';
import type { Downloads } from './download.ts';
import { leaseOf, until } from './lease.ts';
import { AddressLimits } from './limits.ts';
import type { Uploads } from './upload.ts';

const TOKEN_BODY_BYTES_MAX = 1024;
const SECRET_LENGTH_MAX = 200;
const NAME_LENGTH_MAX = 255;
const RETRY_AFTER_SECONDS = '6';

/** Control's decisions on who may come in. */
export interface AccessPort {
  /** Faults: rpc.denied, policy.denied, limit.reached, rpc.unavailable. */
  signIn(
    token: string,
    address: string,
    agent: string,
  ): Promise<{ readonly session: AccessSession; readonly secret: string }>;
  /** Faults: policy.denied, rpc.unavailable. */
  session(secret: string): Promise<AccessSession | null>;
  /** Connects to control's socket as a browser of that session at that address. */
  join(session: AccessSession, address: string): Promise<SocketChannel>;
}

export interface GatewayOptions {
  /** The port is known only once the server listens. */
  readonly port: () => number;
  readonly isEncrypted: boolean;
  /** Names of this computer, in lower case, that a browser may use as Host. */
  readonly names: () => readonly string[];
  readonly access: AccessPort;
  readonly files: WebFiles;
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly random: Random;
  readonly clock: Clock;
  /** Over control's socket for local callers: browsers may not name paths. */
  readonly registerFile: (path: string) => Promise<{ readonly file: string; readonly bytes: number }>;
  readonly log: (line: string) => void;
}

export class Gateway implements WebHandlers {
  readonly #options: GatewayOptions;
  readonly #limits: AddressLimits;
  readonly #told: Told;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = new AddressLimits(options.clock);
    this.#told = new Told(options.clock, line => options.log(`refused, ${line}`));
  }

  async answer(request: WebRequest): Promise<WebAnswer> {
    const refusal = this.#refusal(request, request.method === 'POST');
    if (refusal !== null) return refusal;
    switch (`${request.method} ${request.path}`) {
      case 'GET /session':
        return this.#isIn(request);
      case 'POST /session':
        return this.#signIn(request);
      case 'POST /upload':
        return this.#known(request, (session, secret) => this.#upload(request, session, secret));
      case 'GET /download':
        return this.#known(request, (session, secret) => this.#download(request, session, secret));
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Not here.');
    return this.#page(request);
  }

  async connect(request: WebRequest): Promise<((page: Channel) => void) | WebAnswer> {
    if (request.path !== '/rpc') return plain(404, '');
    const refusal = this.#refusal(request, true);
    if (refusal !== null) return refusal;
    return this.#known(request, session => this.#join(request, session));
  }

  async #join(request: WebRequest, session: AccessSession): Promise<(page: Channel) => void> {
    const service = await this.#options.access.join(session, request.address);
    // A browser that goes away, or fails to upgrade, before it is joined would leave `service` open.
    const drop = (): void => service.close();
    request.signal.addEventListener('abort', drop, { once: true });
    if (request.signal.aborted) drop();
    return page => {
      request.signal.removeEventListener('abort', drop);
      relay(page, service);
    };
  }

  malformed(kind: 'request' | 'frame', address: string, what: string): void {
    this.#told.say(`what is no ${kind}`, `${address}: ${what}`);
  }

  /** Checks every request; null: it may go on. `isChange`: the request must come from our own page. */
  #refusal(request: WebRequest, isChange: boolean): WebAnswer | null {
    const { address, path } = request;
    if (!this.#limits.mayAsk(address)) {
      this.#told.say('too many requests', address);
      return tooOften();
    }
    if (!this.#hosts().includes((request.header('host') ?? '').toLowerCase())) {
      this.#told.say('another host', `${address} asked ${request.header('host') ?? ''}`);
      return plain(403, 'This address does not belong to Ebb.');
    }
    if (!isChange || this.#isOurPage(request)) return null;
    this.#told.say('another origin', `${address} at ${path} from ${request.header('origin') ?? 'nowhere'}`);
    return plain(403, 'Not from our own page.');
  }

  #hosts(): string[] {
    const { port, names, isEncrypted } = this.#options;
    const at = port();
    // Browsers leave out the port that belongs to the scheme.
    const isUsual = at === (isEncrypted ? 443 : 80);
    return names().flatMap(name => [`${name}:${at}`, ...(isUsual ? [name] : [])]);
  }

  /** Stricter than browsers' own rule: a request without Origin does not count as our page's. */
  #isOurPage(request: WebRequest): boolean {
    const scheme = this.#options.isEncrypted ? 'https' : 'http';
    return request.header('origin') === `${scheme}://${request.header('host')}`;
  }

  #secretOf(request: WebRequest): string | null {
    const { port, isEncrypted } = this.#options;
    return readCookie(request.header('cookie'), cookieName(port(), isEncrypted));
  }

  async #session(secret: string | null): Promise<AccessSession | null> {
    if (secret === null || secret.length > SECRET_LENGTH_MAX) return null;
    return this.#options.access.session(secret);
  }

  /** Tells a page why its socket was refused. 410: it was signed in, and is not any more. */
  async #isIn(request: WebRequest): Promise<WebAnswer> {
    const answer = await this.#known(request, async () => plain(204, ''));
    return answer.status === 401 && this.#secretOf(request) !== null ? plain(410, '') : answer;
  }

  /** Answers callers who are signed in, and refuses all others. */
  async #known<T>(
    request: WebRequest,
    answer: (session: AccessSession, secret: string) => Promise<T>,
  ): Promise<T | WebAnswer> {
    const secret = this.#secretOf(request);
    try {
      const session = await this.#session(secret);
      if (session === null || secret === null) return plain(401, '');
      request.vouch();
      return await answer(session, secret);
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      const { body } = cause;
      return body.code === 'policy.denied' ? json(403, { error: body }) : plain(503, body.what);
    }
  }

  async #signIn(request: WebRequest): Promise<WebAnswer> {
    const { access, port, isEncrypted } = this.#options;
    const { address } = request;
    if (!this.#limits.maySignIn(address)) {
      this.#told.say('too many sign-ins', address);
      return tooOften();
    }
    const token = readToken(await request.text(TOKEN_BODY_BYTES_MAX));
    if (token === null) {
      // A caller that went away in the middle did not send a wrong token.
      if (!request.signal.aborted) this.#limits.failed(address);
      this.#told.say('no sign-in', address);
      return plain(403, 'This is no sign-in.');
    }
    try {
      const { secret } = await access.signIn(
        token,
        address,
        request.header('user-agent')?.slice(0, 200) ?? '',
      );
      const cookie = cookieOf(port(), isEncrypted, secret);
      return { status: 204, headers: { 'set-cookie': cookie, 'cache-control': 'no-store' }, body: '' };
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      if (cause.body.code === 'limit.reached') return tooOften();
      // Other refusals come after a good token: they are no failed sign-in.
      if (cause.body.code === 'rpc.denied') this.#limits.failed(address);
      const isRefused = cause.body.code === 'rpc.denied' || cause.body.code === 'policy.denied';
      return json(isRefused ? 403 : 503, { error: cause.body });
    }
  }

  async #page(request: WebRequest): Promise<WebAnswer> {
    const file = await this.#options.files.read(request.path);
    if (file === null) return plain(404, 'There is no such page.');
    const cache = file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-store';
    const headers = {
      ...pageHeaders(`${this.#options.isEncrypted ? 'wss' : 'ws'}://${request.header('host')}`),
      'content-type': file.mime,
      'cache-control': cache,
      'content-length': String(file.bytes.length),
    };
    return { status: 200, headers, body: request.method === 'HEAD' ? '' : file.bytes };
  }

  async #upload(request: WebRequest, { role }: AccessSession, secret: string): Promise<WebAnswer> {
    // Files are uploaded only to create VMs from them.
    if (!mayCall(role, 'vm.create')) return plain(403, `This sign-in may ${role}.`);
    const lease = await this.#lease(request, secret);
    if (lease === null) return plain(401, '');
    const { uploads, registerFile, random, log } = this.#options;
    const id = random.uuid();
    try {
      const body = until(lease.signal, request.body);
      const stored = await uploads.receive({ id, announcedBytes: announced(request), body });
      const { file, bytes } = await registerFile(stored.path).catch(async error => {
        await uploads.discard(id);
        throw error;
      });
      return json(200, { file, name: uploadName(request), bytes });
    } catch (error) {
      if (lease.signal.aborted) return plain(401, '');
      if (error instanceof Fault) return json(statusOf(error.body), { error: error.body });
      log(`an upload failed: ${stackOf(error)}`);
      return json(500, { error: INTERRUPTED });
    } finally {
      lease.end();
    }
  }

  async #download(request: WebRequest, { id, role }: AccessSession, secret: string): Promise<WebAnswer> {
    if (!mayCall(role, 'moment.download')) return plain(403, `This sign-in may ${role}.`);
    // A click on a link sends no Origin; browsers that say where it came from do so in Sec-Fetch-Site.
    if (!['same-origin', undefined].includes(request.header('sec-fetch-site')))
      return plain(403, 'Not from our own page.');
    const { downloads } = this.#options;
    const slot = downloads.slot();
    if (slot === null) return tooOften();
    const lease = await this.#lease(request, secret).catch(cause => {
      slot();
      throw cause;
    });
    if (lease === null) {
      slot();
      return plain(401, '');
    }
    try {
      return (
        (await downloads.answer(request, id, { lease, slot })) ??
        plain(404, 'There is no such file any more.')
      );
    } catch (cause) {
      if (!(cause instanceof Fault) || !cause.body.code.startsWith('file.')) throw cause;
      return plain(404, cause.body.what);
    }
  }

  #lease(request: WebRequest, secret: string): ReturnType<typeof leaseOf> {
    return leaseOf(async () => {
      const session = await this.#session(secret);
      return session === null ? null : this.#options.access.join(session, request.address);
    });
  }
}

const plain = (status: number, body: string): WebAnswer => ({
  status,
  headers: {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  },
  body,
});

const tooOften = (): WebAnswer => {
  const answer = plain(429, 'Too often. Wait a little.');
  return { ...answer, headers: { ...answer.headers, 'retry-after': RETRY_AFTER_SECONDS } };
};

const json = (status: number, body: unknown): WebAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

const statusOf = ({ code }: ErrorBody): number =>
  code === 'disk.full' ? 507 : code === 'limit.reached' ? 429 : code === 'rpc.unavailable' ? 503 : 500;

const INTERRUPTED: ErrorBody = {
  code: 'file.unreadable',
  what: 'The upload was interrupted.',
  safe: 'Your file is untouched; what had arrived was removed.',
  todo: 'Choose the file again.',
};

function announced(request: WebRequest): number | null {
  const length = request.header('content-length');
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

/** The file's name as the page gave it. For showing only: it never becomes part of a path. */
function uploadName(request: WebRequest): string {
  const name = request.query.get('name') ?? '';
  // Control characters would upset terminals and tables.
  const shown = name.replace(/\p{Cc}/gu, '').slice(0, NAME_LENGTH_MAX);
  return shown === '' ? 'upload' : shown;
}

function readToken(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('token' in body)) return null;
    return typeof body.token === 'string' && body.token.length <= SECRET_LENGTH_MAX ? body.token : null;
  } catch {
    return null;
  }
}
