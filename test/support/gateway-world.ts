// A browser gateway with everything real but what control does for those it lets in: its own list of tokens and sessions, its
// channels that end with them, an echo behind.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { WebSocket as WsClient } from 'ws';
import { AccessDesk } from '../../electron/control/access/desk.ts';
import { openAccessStore } from '../../electron/control/access/store.ts';
import type { Certificate } from '../../electron/platform/certificate.ts';
import { systemClock } from '../../electron/platform/clock.ts';
import { openFolder } from '../../electron/platform/folder.ts';
import { LOOPBACK_NAMES } from '../../electron/platform/host-names.ts';
import type { Clock, Folder } from '../../electron/platform/ports.ts';
import { systemRandom } from '../../electron/platform/random.ts';
import { openWebFiles } from '../../electron/platform/web-files.ts';
import { openWhole, type SeenFile } from '../../electron/platform/whole-file.ts';
import { Downloads } from '../../electron/shells/headless/download.ts';
import { Gateway } from '../../electron/shells/headless/gateway.ts';
import { FREE_BYTES_MIN, Uploads } from '../../electron/shells/headless/upload.ts';
import { connectUnix, listenUnix } from '../../electron/transport/unix-socket.ts';
import { listenWeb, type WebServer } from '../../electron/transport/web-server.ts';
import { Fault } from '../../shared/result.ts';
import type { Role } from '../../shared/roles.ts';
import { EchoService } from './echo-service.ts';

export const FILE = '00000000-0000-4000-8000-00000000000f';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface WorldOptions {
  readonly tls?: Certificate;
  readonly clock?: Clock;
}

export class GatewayWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'ebb-gateway-'));
  readonly desk: AccessDesk;
  readonly #tls: Certificate | undefined;
  #server!: WebServer;
  closeControl!: () => Promise<void>;
  readonly registered: string[] = [];
  readonly logged: string[] = [];
  readonly signIns: [isAccepted: boolean, address: string][] = [];
  readonly joined: Role[] = [];
  /** By ticket; and who asked for which. */
  readonly files = new Map<string, SeenFile & { readonly name: string }>();
  readonly asked: [ticket: string, session: string][] = [];
  /** While control is asked for a channel. */
  joining: () => Promise<void> = async () => undefined;
  registering: 'works' | 'fails' = 'works';
  freeBytes = FREE_BYTES_MIN * 4;
  areBrowsersAllowed = true;

  private constructor({ tls, clock = systemClock }: WorldOptions) {
    this.#tls = tls;
    this.desk = new AccessDesk({
      store: openAccessStore(new Database(':memory:')),
      clock,
      random: systemRandom,
      hash: text => createHash('sha256').update(text).digest('hex'),
      requireBrowsers: () => {
        if (!this.areBrowsersAllowed)
          throw new Fault({ code: 'policy.denied', what: 'headless.access: no.', safe: '', todo: '' });
      },
      warn: text => this.logged.push(text),
      requireNetwork: () => {
        throw new Fault({ code: 'policy.denied', what: 'No.', safe: '', todo: '' });
      },
    });
  }

  static async start(options: WorldOptions = {}): Promise<GatewayWorld> {
    const world = new GatewayWorld(options);
    const page = join(world.folder, 'page');
    mkdirSync(join(page, 'assets'), { recursive: true });
    writeFileSync(join(page, 'index.html'), '<!doctype html><title>Ebb</title>');
    writeFileSync(join(page, 'assets', 'index-abc.js'), 'export {};');
    writeFileSync(join(page, 'secret.pem'), 'key');
    writeFileSync(join(world.folder, 'outside.html'), 'outside');
    symlinkSync(join(world.folder, 'outside.html'), join(page, 'link.html'));
    const path = join(world.folder, 'browser.sock');
    world.closeControl = (await listenUnix(path, new EchoService().accept)).close;
    const place = { port: 0, ...(world.#tls === undefined ? {} : { tls: world.#tls }) };
    world.#server = await listenWeb(place, world.#gateway(page, path, options.clock ?? systemClock));
    return world;
  }

  #gateway(page: string, path: string, clock: Clock): Gateway {
    const real = openFolder(join(this.folder, 'uploads'));
    const folder: Folder = { ...real, freeBytes: () => this.freeBytes };
    return new Gateway({
      port: () => this.port,
      isEncrypted: this.#tls !== undefined,
      names: () => LOOPBACK_NAMES,
      access: {
        signIn: async (token, address, agent) => {
          try {
            const found = this.desk.signIn(token, address, agent);
            this.signIns.push([true, address]);
            return found;
          } catch (cause) {
            this.signIns.push([false, address]);
            throw cause;
          }
        },
        session: async secret => this.desk.session(secret),
        join: async ({ id, role }, address) => {
          this.joined.push(role);
          await this.joining();
          const channel = await connectUnix(path);
          const end = (): void => channel.close();
          const joined = this.desk.join(id, address, end);
          if (joined === null) channel.close();
          else channel.onClose(joined.leave);
          return channel;
        },
      },
      files: openWebFiles(page),
      downloads: new Downloads({
        find: async (ticket, session) => {
          const found = this.files.get(ticket);
          this.asked.push([ticket, session]);
          if (found === undefined)
            throw new Fault({ code: 'file.unknown-token', what: 'No.', safe: '', todo: '' });
          return found;
        },
        open: openWhole,
      }),
      uploads: new Uploads({ folder, pid: 1, isRunning: pid => pid === 1 }),
      random: systemRandom,
      clock,
      registerFile: async path => {
        if (this.registering === 'fails') throw new TypeError('no');
        this.registered.push(path);
        return { file: FILE, bytes: readFileSync(path).length };
      },
      log: line => this.logged.push(line),
    });
  }

  get port(): number {
    return this.#server.port;
  }
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }
  get origin(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://${this.host}`;
  }
  get own(): Record<string, string> {
    return { host: this.host, origin: this.origin };
  }

  send(
    method: string,
    path: string,
    headers: Record<string, string> = { host: this.host },
    body: string | Buffer = '',
  ): Promise<Answer> {
    const at = { host: '127.0.0.1', port: this.port, method, path, headers };
    return new Promise((resolve, reject) => {
      const heard = (answer: IncomingMessage): void => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
      };
      const call =
        this.#tls === undefined ? request(at, heard) : secureRequest({ ...at, ca: this.#tls.cert }, heard);
      call.on('error', reject);
      call.end(body);
    });
  }

  /** The cookie of a new session. */
  async signIn(role: Role = 'administer', token = this.desk.link(role).token): Promise<string> {
    const answer = await this.send('POST', '/session', this.own, JSON.stringify({ token }));
    if (answer.status !== 204) throw new Error(`signing in: ${answer.status}`);
    return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  }

  /** The status a refused upgrade answers, or 101. */
  upgrade(headers: Record<string, string>, path = '/rpc'): Promise<{ status: number; socket: WsClient }> {
    const socket = new WsClient(`${this.origin.replace('http', 'ws')}${path}`, {
      headers,
      ...(this.#tls === undefined ? {} : { ca: this.#tls.cert }),
    });
    return new Promise(resolve => {
      socket.on('open', () => resolve({ status: 101, socket }));
      socket.on('unexpected-response', (_, answer) => resolve({ status: answer.statusCode ?? 0, socket }));
      socket.on('error', () => undefined);
    });
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.closeControl();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
