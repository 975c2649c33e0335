// The browser's door: serves the page, exchanges tokens, joins WebSockets to control, takes uploads. Every request
// must name us as Host (DNS rebinding) and every change must come from our own page (Origin). Holds no VM state.
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { mayCall, type Role } from '../../../shared/roles.ts';
import type { Random } from '../../platform/ports.ts';
import type { WebFiles } from '../../platform/web-files.ts';
import { pageHeaders } from '../../transport/page-headers.ts';
import { relay } from '../../transport/relay.ts';
import type { SocketChannel } from '../../transport/unix-socket.ts';
import type { WebAnswer, WebHandlers, WebRequest } from '../../transport/web-server.ts';
import { cookieName, readCookie, type Sessions } from './sessions.ts';
import type { Uploads } from './upload.ts';

const TOKEN_BODY_BYTES_MAX = 1024;
const NAME_LENGTH_MAX = 255;

export interface GatewayOptions {
  /** Known only once the server listens. */
  readonly port: () => number;
  readonly sessions: Sessions;
  readonly files: WebFiles;
  readonly uploads: Uploads;
  readonly random: Random;
  /** To control's socket for browsers of that role. */
  readonly connectControl: (role: Role) => Promise<SocketChannel>;
  /** Over control's socket for local callers: browsers may not name paths. */
  readonly registerFile: (path: string) => Promise<{ readonly file: string; readonly bytes: number }>;
  /** For the audit: somebody signed in, or was refused. */
  readonly noteSignIn: (isAccepted: boolean, address: string) => Promise<unknown>;
  readonly log: (line: string) => void;
}

export class Gateway implements WebHandlers {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  async answer(request: WebRequest): Promise<WebAnswer> {
    if (!this.#isOurHost(request)) return plain(403, 'This address does not belong to Ebb.');
    switch (`${request.method} ${request.path}`) {
      case 'GET /session':
        return plain(this.#roleOf(request) === null ? 401 : 204, '');
      case 'POST /session':
        return this.#isOurPage(request) ? this.#signIn(request) : plain(403, 'Not from our own page.');
      case 'POST /upload':
        return this.#isOurPage(request) ? this.#upload(request) : plain(403, 'Not from our own page.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Not here.');
    return this.#page(request);
  }

  async connect(request: WebRequest): Promise<((page: Parameters<typeof relay>[0]) => void) | WebAnswer> {
    if (request.path !== '/rpc') return plain(404, '');
    if (!this.#isOurHost(request) || !this.#isOurPage(request)) return plain(403, '');
    const role = this.#roleOf(request);
    if (role === null) return plain(401, '');
    const service = await this.#options.connectControl(role);
    return page => relay(page, service);
  }

  #hosts(): string[] {
    const port = this.#options.port();
    return [`127.0.0.1:${port}`, `localhost:${port}`];
  }

  #isOurHost(request: WebRequest): boolean {
    return this.#hosts().includes(request.header('host') ?? '');
  }

  /** Stricter than the engine's own rule: no Origin is not our page either. */
  #isOurPage(request: WebRequest): boolean {
    return request.header('origin') === `http://${request.header('host')}`;
  }

  #roleOf(request: WebRequest): Role | null {
    const { sessions, port } = this.#options;
    return sessions.roleOf(readCookie(request.header('cookie'), cookieName(port())));
  }

  async #signIn(request: WebRequest): Promise<WebAnswer> {
    const token = readToken(await readText(request, TOKEN_BODY_BYTES_MAX));
    const secret = token === null ? null : this.#options.sessions.exchange(token);
    await this.#note(secret !== null, request.address);
    if (secret === null) return plain(403, 'This link was used already, or is not ours.');
    const cookie = `${cookieName(this.#options.port())}=${secret}; HttpOnly; SameSite=Strict; Path=/`;
    return { status: 204, headers: { 'set-cookie': cookie, 'cache-control': 'no-store' }, body: '' };
  }

  /** Control may be full or away: who has a good link is let in, and the log has it. */
  async #note(isAccepted: boolean, address: string): Promise<void> {
    try {
      await this.#options.noteSignIn(isAccepted, address);
    } catch (cause) {
      this.#options.log(`a sign-in (${isAccepted ? 'accepted' : 'refused'}) was not noted: ${String(cause)}`);
    }
  }

  async #page(request: WebRequest): Promise<WebAnswer> {
    const file = await this.#options.files.read(request.path);
    if (file === null) return plain(404, 'There is no such page.');
    const cache = file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-store';
    const headers = {
      ...pageHeaders(`ws://${request.header('host')}`),
      'content-type': file.mime,
      'cache-control': cache,
      'content-length': String(file.bytes.length),
    };
    return { status: 200, headers, body: request.method === 'HEAD' ? '' : file.bytes };
  }

  async #upload(request: WebRequest): Promise<WebAnswer> {
    const role = this.#roleOf(request);
    if (role === null) return plain(401, '');
    // Nothing else is done with a file.
    if (!mayCall(role, 'vm.create')) return plain(403, `This sign-in may ${role}.`);
    const { uploads, registerFile, random, log } = this.#options;
    const id = random.uuid();
    try {
      const stored = await uploads.receive({ id, announcedBytes: announced(request), body: request.body });
      const { file, bytes } = await registerFile(stored.path).catch(async error => {
        await uploads.discard(id);
        throw error;
      });
      return json(200, { file, name: uploadName(request), bytes });
    } catch (error) {
      if (error instanceof Fault) return json(statusOf(error.body), { error: error.body });
      log(`an upload failed: ${error instanceof Error ? error.stack : String(error)}`);
      return json(500, { error: INTERRUPTED });
    }
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

/** For showing only: it never becomes part of a path. */
function uploadName(request: WebRequest): string {
  const name = request.query.get('name') ?? '';
  // Control characters would upset terminals and tables.
  const shown = name.replace(/\p{Cc}/gu, '').slice(0, NAME_LENGTH_MAX);
  return shown === '' ? 'upload' : shown;
}

async function readText(request: WebRequest, mostBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > mostBytes) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readToken(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('token' in body)) return null;
    return typeof body.token === 'string' ? body.token : null;
  } catch {
    return null;
  }
}
