// HTTP and WebSocket for the browser gateway, as plain requests and answers; encrypted where it is given a certificate. Decides
// nothing about who may do what; listens on the loopback address, and elsewhere only encrypted (DESIGN §8).
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { isLoopback, sourceOf } from '../../shared/access.ts';
import { Fault } from '../../shared/result.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { systemClock } from '../platform/clock.ts';
import { type Stranger, Strangers } from './strangers.ts';
import { webSocketChannel } from './websocket.ts';

const LOOPBACK = '127.0.0.1';
/** Of them so many as strangers leave are for who is signed in. */
const CONNECTIONS_MAX = 512;
/** Of one source that is not this computer itself; strangers may have half of it. */
const CONNECTIONS_OF_SOURCE_MAX = 256;
const HEADERS_TIMEOUT_MS = 5000;
/** How often that is looked at. */
const TIMEOUTS_EVERY_MS = 1000;
/** Nothing came or went for so long: nobody is there. WebSockets are not meant. */
const IDLE_MS = 60_000;
const TEXT_MS = 5000;
const DRAIN_BYTES_MAX = 64 * 1024 ** 3;
/** Of whoever was not let in, or says more than anybody asked for. */
const STRANGER_DRAIN_BYTES_MAX = 16 * 1024 ** 2;
const STRANGER_DRAIN_MS = 10_000;
/** For an answer that refuses an upgrade to be sent. */
const HANG_UP_MS = 2000;
const KEEP_ALIVE_MS = 30_000;

export interface WebRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** Of who asks. */
  readonly address: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** All of a short body; empty where it is longer, or does not come in time. */
  text(mostBytes: number): Promise<string>;
  /** Aborted when the browser went away. */
  readonly signal: AbortSignal;
  /** Who asks may be here: this connection counts as no stranger's any more. */
  vouch(): void;
}
export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What comes in pieces is as long as its content-length says, or breaks off. */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** Aborted: no more of it is sent, also to who does not take it. */
  readonly signal?: AbortSignal;
}
export interface WebHandlers {
  answer(request: WebRequest): Promise<WebAnswer>;
  /** For an upgrade to WebSocket: what takes the channel, or the answer that refuses it. */
  connect(request: WebRequest): Promise<((channel: Channel) => void) | WebAnswer>;
  /** What no browser sends has ended a connection. */
  malformed(kind: 'request' | 'frame', address: string, what: string): void;
}
export interface WebPlace {
  /** 0 takes a free one. */
  readonly port: number;
  readonly address?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}
export interface WebServer {
  readonly port: number;
  close(): Promise<void>;
}

function readRequest(
  message: IncomingMessage,
  ended: Duplex | ServerResponse,
  vouch: () => void,
): WebRequest {
  const abort = new AbortController();
  ended.on('close', () => abort.abort());
  // The base is never used: only path and query are read, whatever the Host header says.
  const url = URL.parse(message.url ?? '/', 'http://host.invalid') ?? new URL('http://host.invalid/');
  return {
    method: message.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    address: message.socket.remoteAddress ?? '',
    header: name => {
      const value = message.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: message.iterator({ destroyOnReturn: false }),
    text: mostBytes => readText(message, mostBytes),
    signal: abort.signal,
    vouch,
  };
}

async function readText(message: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const tooSlow = systemClock.after(TEXT_MS, () => message.destroy());
  try {
    for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) return '';
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return '';
  } finally {
    tooSlow.cancel();
  }
}

const FAILED: WebAnswer = { status: 500, headers: {}, body: 'Ebb made a mistake; its log has the details.' };

async function answer(
  handlers: WebHandlers,
  callers: Callers,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let result = FAILED;
  const vouch = callers.asks(message, () => !response.writableEnded);
  try {
    result = await handlers.answer(readRequest(message, response, vouch));
  } catch (error) {
    console.error(error);
  }
  response.writeHead(result.status, result.headers);
  const { body } = result;
  if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  // Whoever takes it sees that it is not all; nobody else has to.
  else
    await pipeline(
      Readable.from(body, { highWaterMark: 1 }),
      response,
      result.signal === undefined ? {} : { signal: result.signal },
    ).catch(() => response.destroy());
  if (message.complete) return;
  // Only an upload that failed was let in and is not read to its end.
  if (result.status >= 500) return drain(message, DRAIN_BYTES_MAX);
  drain(message, STRANGER_DRAIN_BYTES_MAX);
  // Byte by byte a stranger would hold its place for ever.
  const late = systemClock.after(STRANGER_DRAIN_MS, () => message.destroy());
  message.once('close', () => late.cancel());
}

/** Hanging up on a browser that still sends would lose it our answer: the rest is read and dropped, to a limit. */
function drain(message: IncomingMessage, most: number): void {
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) message.destroy();
  });
}

function refuseUpgrade(socket: Duplex, refusal: WebAnswer): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  hangUp(socket);
}

/** Whether or not the other side does: it may keep its half open, or not read. */
function hangUp(socket: Duplex): void {
  const late = systemClock.after(HANG_UP_MS, () => socket.destroy());
  socket.once('close', () => late.cancel());
}

async function upgrade(
  handlers: WebHandlers,
  callers: Callers,
  sockets: WebSocketServer,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  let taken: Awaited<ReturnType<WebHandlers['connect']>> = FAILED;
  let isAsking = true;
  const vouch = callers.asks(message, () => isAsking);
  try {
    taken = await handlers.connect(readRequest(message, socket, vouch));
  } catch (error) {
    taken = { ...FAILED, status: error instanceof Fault ? 503 : 500 };
    if (!(error instanceof Fault)) console.error(error);
  }
  isAsking = false;
  if (typeof taken !== 'function') return refuseUpgrade(socket, taken);
  const accept = taken;
  let isTaken = false;
  sockets.handleUpgrade(message, socket, head, web => {
    isTaken = true;
    const { remoteAddress = '' } = message.socket;
    web.on('error', ({ message: what }) => handlers.malformed('frame', remoteAddress, what));
    web.on('message', (_, isBinary) => {
      if (isBinary) handlers.malformed('frame', remoteAddress, 'a binary frame');
    });
    accept(webSocketChannel(web));
  });
  if (!isTaken) hangUp(socket);
}

const MALFORMED_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Noted, and answered as node does by itself where nobody listens for it. */
function endMalformed(handlers: WebHandlers, error: NodeJS.ErrnoException, socket: Duplex): void {
  const { remoteAddress = '' } = socket as Socket;
  const { code = '' } = error;
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  handlers.malformed('request', remoteAddress, code);
  // It would be taken for the rest of an answer under way.
  if ((socket as Socket).bytesWritten > 0) return void socket.destroy();
  refuseUpgrade(socket, { ...FAILED, status: MALFORMED_STATUS[code] ?? 400 });
}

/** One source may not take all the room there is. This computer's own is shared by all who are at it. */
function limitSources(): (socket: Socket) => void {
  const open = new Map<string, number>();
  return socket => {
    const { remoteAddress = '' } = socket;
    if (isLoopback(remoteAddress)) return;
    const source = sourceOf(remoteAddress);
    const count = (open.get(source) ?? 0) + 1;
    if (count > CONNECTIONS_OF_SOURCE_MAX) return void socket.destroy();
    open.set(source, count);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left === 0) open.delete(source);
      else open.set(source, left);
    });
  };
}

interface Caller extends Stranger {
  isBusy: () => boolean;
}

/** Whose each connection is: a stranger's until somebody vouches for it. */
class Callers {
  readonly #strangers = new Strangers();
  readonly #open = new Map<string, Caller>();

  came = (socket: Socket): void => {
    const key = keyOf(socket);
    const address = socket.remoteAddress ?? '';
    const caller: Caller = { address, isBusy: () => false, hangUp: () => void socket.destroy() };
    if (!this.#strangers.admit(caller)) return void socket.destroy();
    this.#open.set(key, caller);
    socket.once('close', () => {
      this.#strangers.forget(caller);
      this.#open.delete(key);
    });
  };

  /** What vouches for it. */
  asks(message: IncomingMessage, isAsking: () => boolean): () => void {
    const caller = this.#open.get(keyOf(message.socket));
    if (caller === undefined) return () => undefined;
    // One that still sends what it asks may be who drips it.
    caller.isBusy = () => message.complete && isAsking();
    return () => this.#strangers.forget(caller);
  }
}

/** Encrypted or not: what carries the encryption and what comes out of it are two sockets of one connection. */
const keyOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

function makeServer(tls: WebPlace['tls'], listener: RequestListener) {
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    connectionsCheckingInterval: TIMEOUTS_EVERY_MS,
  };
  if (tls === undefined) return createServer(options, listener);
  const secure = { ...tls, minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT_MS } as const;
  return createTlsServer({ ...options, ...secure }, listener);
}

/** Throws Fault host.permission where it cannot listen. */
export function listenWeb(
  { port, address = LOOPBACK, tls }: WebPlace,
  handlers: WebHandlers,
): Promise<WebServer> {
  if (tls === undefined && !isLoopback(address)) throw new Error(`${address} without encryption`);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });
  const callers = new Callers();
  const server = makeServer(tls, (message, response) => void answer(handlers, callers, message, response));
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = IDLE_MS;
  server.on('connection', limitSources());
  server.on('connection', callers.came);
  server.on('clientError', (error, socket) => endMalformed(handlers, error, socket));
  server.on('tlsClientError', ({ message }: Error, { remoteAddress = '' }: Socket) =>
    handlers.malformed('request', remoteAddress, message),
  );
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    void upgrade(handlers, callers, sockets, message, socket, head);
  });
  const close = (): Promise<void> =>
    new Promise(resolve => {
      for (const socket of sockets.clients) socket.terminate();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', cause => reject(cannotListen(address, port, cause)));
    server.listen(port, address, () => resolve({ port: (server.address() as AddressInfo).port, close }));
  });
}

const cannotListen = (address: string, port: number, cause: Error): Fault =>
  new Fault(
    {
      code: 'host.permission',
      what: `The browser gateway cannot listen on ${address}:${port}: ${cause.message}.`,
      safe: 'VMs keep running.',
      todo: 'Choose another port with --port, or leave it out to take a free one.',
    },
    cause,
  );
