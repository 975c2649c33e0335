// Browsers of all manners over the real gateway: pages that behave, and raw bytes that do not.
import { connect, type Socket } from 'node:net';
import { WebSocket as WsClient } from 'ws';
import { webSocketChannel } from '../../electron/transport/websocket.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import { contractHash } from '../../shared/rpc/hash.ts';

export const HELLO = JSON.stringify({ t: 'hello', protocol: 1, contract: contractHash(contract) });

export interface SignedIn {
  readonly origin: string;
  readonly cookie: string;
}

/** Rejects where it is refused, with the status. */
export function openSocket(
  { origin, cookie }: SignedIn,
  more: Record<string, string> = {},
): Promise<WsClient> {
  const headers = { origin, cookie, ...more };
  const socket = new WsClient(`${origin.replace('http', 'ws')}/rpc`, { headers, rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

export async function openPage({ origin, cookie }: SignedIn): Promise<Client<Contract>> {
  const headers = { origin, cookie };
  const socket = new WsClient(`${origin.replace('http', 'ws')}/rpc`, { headers, rejectUnauthorized: false });
  // At once: what control says first comes with the answer.
  const client = await new Promise<Client<Contract>>((resolve, reject) => {
    socket.once('open', () => resolve(connectClient(contract, webSocketChannel(socket))));
    socket.once('error', reject);
  });
  await client.ready;
  return client;
}

export async function signInTo(origin: string, token: string): Promise<SignedIn> {
  const body = JSON.stringify({ token });
  const answer = await fetch(`${origin}/session`, { method: 'POST', headers: { origin }, body });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`signing in: ${answer.status}`);
  return { origin, cookie };
}

/** What comes back for these bytes until the other end hangs up, or has answered. */
export function raw(origin: string, bytes: string | Buffer): Promise<string> {
  return new Promise(resolve => {
    let heard = '';
    const socket = rawSocket(origin);
    const done = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.on('data', data => {
      heard += data.toString('latin1');
      if (heard.includes('\r\n\r\n')) done();
    });
    socket.on('close', done);
    socket.write(bytes);
  });
}

/** `allowHalfOpen`: it goes on when the other end has said its last. */
export function rawSocket(origin: string, allowHalfOpen = false): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen });
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Until it is closed by the other end; what it said before. */
export function closed(socket: WsClient): Promise<string[]> {
  const heard: string[] = [];
  socket.on('message', data => heard.push(String(data)));
  socket.on('error', () => undefined);
  return new Promise(resolve => socket.once('close', () => resolve(heard)));
}
