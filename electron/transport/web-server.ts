// HTTP and WebSocket on the loopback address for the browser gateway, as plain requests and answers. Decides nothing
// about who may do what; never listens on another address (DESIGN §8).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Fault } from '../../shared/result.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { webSocketChannel } from './websocket.ts';

const LOOPBACK = '127.0.0.1';
/** A browser opens about six for one page; this is for several pages, not for a crowd. */
const CONNECTIONS_MAX = 64;
const HEADERS_TIMEOUT_MS = 10_000;
const DRAIN_BYTES_MAX = 64 * 1024 ** 3;

export interface WebRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** Of who asks. */
  readonly address: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the browser went away. */
  readonly signal: AbortSignal;
}
export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}
export interface WebHandlers {
  answer(request: WebRequest): Promise<WebAnswer>;
  /** For an upgrade to WebSocket: what takes the channel, or the answer that refuses it. */
  connect(request: WebRequest): Promise<((channel: Channel) => void) | WebAnswer>;
}
export interface WebServer {
  readonly port: number;
  close(): Promise<void>;
}

function readRequest(message: IncomingMessage, ended: Duplex | ServerResponse): WebRequest {
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
    signal: abort.signal,
  };
}

const FAILED: WebAnswer = { status: 500, headers: {}, body: 'Ebb made a mistake; its log has the details.' };

async function answer(
  handlers: WebHandlers,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let result = FAILED;
  try {
    result = await handlers.answer(readRequest(message, response));
  } catch (error) {
    console.error(error);
  }
  response.writeHead(result.status, result.headers);
  response.end(result.body);
  if (!message.complete) drain(message);
}

/** Hanging up on a browser that still sends would lose it our answer: the rest is read and dropped, to a limit. */
function drain(message: IncomingMessage): void {
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DRAIN_BYTES_MAX) message.destroy();
  });
}

function refuseUpgrade(socket: Duplex, refusal: WebAnswer): void {
  socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function upgrade(
  handlers: WebHandlers,
  sockets: WebSocketServer,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  let taken: Awaited<ReturnType<WebHandlers['connect']>> = FAILED;
  try {
    taken = await handlers.connect(readRequest(message, socket));
  } catch (error) {
    taken = { ...FAILED, status: error instanceof Fault ? 503 : 500 };
    if (!(error instanceof Fault)) console.error(error);
  }
  if (typeof taken !== 'function') return refuseUpgrade(socket, taken);
  const accept = taken;
  sockets.handleUpgrade(message, socket, head, web => accept(webSocketChannel(web)));
}

/** Port 0 takes a free one. Throws Fault host.permission where it cannot listen. */
export function listenWeb(port: number, handlers: WebHandlers): Promise<WebServer> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('request', (message, response) => void answer(handlers, message, response));
  server.on('upgrade', (message, socket, head) => void upgrade(handlers, sockets, message, socket, head));
  const close = (): Promise<void> =>
    new Promise(resolve => {
      for (const socket of sockets.clients) socket.terminate();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', cause => reject(cannotListen(port, cause)));
    server.listen(port, LOOPBACK, () => resolve({ port: (server.address() as AddressInfo).port, close }));
  });
}

const cannotListen = (port: number, cause: Error): Fault =>
  new Fault(
    {
      code: 'host.permission',
      what: `The browser gateway cannot listen on ${LOOPBACK}:${port}: ${cause.message}.`,
      safe: 'VMs keep running.',
      todo: 'Choose another port with --port, or leave it out to take a free one.',
    },
    cause,
  );
