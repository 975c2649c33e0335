// HTTP and WebSocket for the browser gateway, as plain requests and answers; encrypted when given a
// certificate. Decides nothing about who may do what. Listens on the loopback address, and on any other only
// encrypted (DESIGN §8).
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
/** Connections in all. Those that strangers (STRANGERS_MAX) leave are for callers who are signed in. */
const CONNECTIONS_MAX = 512;
/** Connections of one source other than this computer; strangers may have half of them. */
const CONNECTIONS_OF_SOURCE_MAX = 256;
const HEADERS_TIMEOUT_MS = 5000;
/** How often the server looks for requests past HEADERS_TIMEOUT_MS. */
const TIMEOUTS_EVERY_MS = 1000;
/** A connection on which nothing came or went for this long is closed. Does not apply to WebSockets. */
const IDLE_MS = 60_000;
const TEXT_MS = 5000;
const DRAIN_BYTES_MAX = 64 * 1024 ** 3;
/** Bytes drained from a caller that was not let in, or that sends more than its request needs. */
const STRANGER_DRAIN_BYTES_MAX = 16 * 1024 ** 2;
const STRANGER_DRAIN_MS = 10_000;
/** Time to send the answer that refuses an upgrade. */
const HANG_UP_MS = 2000;
const KEEP_ALIVE_MS = 30_000;

export interface WebRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The caller's address. */
  readonly address: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole of a short body; empty when it is longer than `mostBytes` or does not arrive in time. */
  text(mostBytes: number): Promise<string>;
  /** Aborted when the browser goes away. */
  readonly signal: AbortSignal;
  /** The caller has been let in: this connection no longer counts as a stranger's. */
  vouch(): void;
}
export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A body in pieces is as long as its content-length says, or breaks off. */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** When aborted, no more of the body is sent, even to a caller that does not read. */
  readonly signal?: AbortSignal;
}
export interface WebHandlers {
  answer(request: WebRequest): Promise<WebAnswer>;
  /** For an upgrade to WebSocket: the function that takes the channel, or the answer that refuses it. */
  connect(request: WebRequest): Promise<((channel: Channel) => void) | WebAnswer>;
  /** A connection was ended because it sent something no browser sends. */
  malformed(kind: 'request' | 'frame', address: string, what: string): void;
}
export interface WebPlace {
  /** 0 takes a free port. */
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
  // A body that breaks off is told to the reader alone, by the closed connection.
  else
    await pipeline(
      Readable.from(body, { highWaterMark: 1 }),
      response,
      result.signal === undefined ? {} : { signal: result.signal },
    ).catch(() => response.destroy());
  if (message.complete) return;
  // Only an upload that failed comes from a caller who was let in and is not read to its end.
  if (result.status >= 500) return drain(message, DRAIN_BYTES_MAX);
  drain(message, STRANGER_DRAIN_BYTES_MAX);
  // A stranger that sends byte by byte would keep its place for ever.
  const late = systemClock.after(STRANGER_DRAIN_MS, () => message.destroy());
  message.once('close', () => late.cancel());
}

/** A browser hung up on while it sends loses our answer: so the rest is read and dropped, to a limit. */
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

/** Closes the socket after HANG_UP_MS even if the other side keeps its half open, or does not read. */
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

/** Tells of the malformed request and answers it as node would if nobody listened for the error. */
function endMalformed(handlers: WebHandlers, error: NodeJS.ErrnoException, socket: Duplex): void {
  const { remoteAddress = '' } = socket as Socket;
  const { code = '' } = error;
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  handlers.malformed('request', remoteAddress, code);
  // The error answer would be taken for the rest of an answer under way.
  if ((socket as Socket).bytesWritten > 0) return void socket.destroy();
  refuseUpgrade(socket, { ...FAILED, status: MALFORMED_STATUS[code] ?? 400 });
}

/** Keeps one source from taking all connections. Not for loopback, which everyone at this computer shares. */
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

/** Which connections are strangers': each is one until the gateway vouches for it. */
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

  /** A request came on the connection; returns the function that vouches for it. */
  asks(message: IncomingMessage, isAsking: () => boolean): () => void {
    const caller = this.#open.get(keyOf(message.socket));
    if (caller === undefined) return () => undefined;
    // A request that is still arriving may be dripped byte by byte, so it does not count as busy.
    caller.isBusy = () => message.complete && isAsking();
    return () => this.#strangers.forget(caller);
  }
}

/** The same key for both sockets of an encrypted connection: the TCP socket and the TLS socket over it. */
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

/** Throws Fault host.permission when it cannot listen. */
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
