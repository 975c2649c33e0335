// The ways a client reaches a service, each as a pair of ends, for the conformance suite. `open` gives a proper
// channel; `openRaw` the bare end, which can stop reading, as a stuck page or a stopped process does.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads';
import { WebSocket as WsClient } from 'ws';
import { portChannel } from '../../electron/transport/message-port.ts';
import { relay } from '../../electron/transport/relay.ts';
import { connectUnix, listenUnix } from '../../electron/transport/unix-socket.ts';
import { listenWeb } from '../../electron/transport/web-server.ts';
import { messagePortChannel, webSocketChannel as pageWebSocketChannel } from '../../renderer/api/channel.ts';
import type { Channel } from '../../shared/rpc/channel.ts';

export interface RawEnd {
  send(text: string): void;
  readonly received: string[];
  isClosed(): boolean;
  /** Stops reading, and goes on. */
  stop(): void;
  go(): void;
  close(): void;
}
export interface Transport {
  open(): Promise<Channel>;
  openRaw(): Promise<RawEnd>;
  close(): Promise<void>;
}
export type Accept = (channel: Channel) => void;

async function unix(accept: Accept): Promise<Transport & { path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-rpc-'));
  const path = join(folder, 's.sock');
  const listener = await listenUnix(path, accept);
  return {
    path,
    open: () => connectUnix(path),
    openRaw: () => rawUnix(path),
    close: async () => {
      await listener.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function rawUnix(path: string): Promise<RawEnd> {
  const socket = connect(path);
  const received: string[] = [];
  let rest = '';
  let isClosed = false;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    received.push(...lines);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    isClosed = true;
  });
  const raw: RawEnd = {
    send: text => void socket.write(`${text}\n`),
    received,
    isClosed: () => isClosed,
    stop: () => void socket.pause(),
    go: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
  return new Promise(resolve => socket.once('connect', () => resolve(raw)));
}

async function messagePort(accept: Accept): Promise<Transport> {
  const opened: Channel[] = [];
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel();
      accept(portChannel(port1));
      const channel = messagePortChannel(port2 as unknown as globalThis.MessagePort);
      opened.push(channel);
      return channel;
    },
    openRaw: async () => {
      const { port1, port2 } = new MessageChannel();
      accept(portChannel(port1));
      return rawPort(port2);
    },
    close: async () => {
      for (const channel of opened) channel.close();
    },
  };
}

/** A page that stops reading leaves its messages unacknowledged. */
function rawPort(port: NodePort): RawEnd {
  const received: string[] = [];
  let waiting: string[] = [];
  let isReading = true;
  let isClosed = false;
  const read = (text: string): void => {
    received.push(text);
    port.postMessage(text.length);
  };
  port.on('message', value => {
    if (typeof value !== 'string') return;
    if (isReading) read(value);
    else waiting.push(value);
  });
  port.on('close', () => {
    isClosed = true;
  });
  return {
    send: text => port.postMessage(text),
    received,
    isClosed: () => isClosed,
    stop: () => {
      isReading = false;
    },
    go: () => {
      isReading = true;
      for (const text of waiting) read(text);
      waiting = [];
    },
    close: () => port.close(),
  };
}

type Upgrade = () => Promise<Accept>;

async function web(upgrade: Upgrade): Promise<Transport> {
  const server = await listenWeb(
    { port: 0 },
    {
      answer: async () => ({ status: 404, headers: {}, body: '' }),
      connect: upgrade,
      malformed: () => undefined,
    },
  );
  const url = `ws://127.0.0.1:${server.port}/rpc`;
  return {
    open: async () => {
      const socket = new WebSocket(url);
      await new Promise(resolve => socket.addEventListener('open', resolve));
      return pageWebSocketChannel(socket);
    },
    openRaw: () => rawWebSocket(url),
    close: () => server.close(),
  };
}

function rawWebSocket(url: string): Promise<RawEnd> {
  const socket = new WsClient(url);
  const received: string[] = [];
  let isClosed = false;
  socket.on('message', data => received.push(data.toString()));
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    isClosed = true;
  });
  const raw: RawEnd = {
    send: text => socket.send(text),
    received,
    isClosed: () => isClosed,
    stop: () => socket.pause(),
    go: () => socket.resume(),
    close: () => socket.terminate(),
  };
  return new Promise(resolve => socket.once('open', () => resolve(raw)));
}

/** What a browser really has: a WebSocket to a gateway that relays to control's unix socket. */
async function gateway(accept: Accept): Promise<Transport> {
  const behind = await unix(accept);
  const front = await web(async () => {
    const service = await connectUnix(behind.path);
    return page => relay(page, service);
  });
  const close = async (): Promise<void> => {
    await front.close();
    await behind.close();
  };
  return { ...front, close };
}

export const TRANSPORTS: Readonly<Record<string, (accept: Accept) => Promise<Transport>>> = {
  'unix socket': unix,
  MessagePort: messagePort,
  WebSocket: accept => web(async () => accept),
  'WebSocket through a relay': gateway,
};
