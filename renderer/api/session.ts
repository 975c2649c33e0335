// The browser's way in: a one-use token in the fragment is exchanged for a cookie, then the socket opens.
import type { Channel } from '../../shared/rpc/channel.ts';
import { messagePortChannel, webSocketChannel } from './channel.ts';
import { desktopShell, requestPort } from './shell.ts';

/** No cookie and no token: only a fresh link from the shell helps. */
export class NotSignedIn extends Error {}

/** Takes the token out of the address before anything can log or share it. */
export async function exchangeToken(): Promise<void> {
  const token = /^#token=([\w-]+)$/.exec(window.location.hash)?.[1];
  if (token === undefined) return;
  window.history.replaceState(null, '', window.location.pathname);
  const status = await signIn(token);
  // A used token with a living cookie is a reload: the socket will tell.
  if (status >= 300 && status !== 401 && status !== 403)
    throw new Error(`the session was refused: ${status}`);
}

/** The status: 204 where it is good, 403 where not, 429 where somebody here was wrong too often. */
export async function signIn(token: string): Promise<number> {
  const { status } = await fetch('/session', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return status;
}

function openSocket(): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${window.location.host}/rpc`);
    socket.addEventListener('open', () => resolve(webSocketChannel(socket)), { once: true });
    socket.addEventListener('error', () => void refused(reject), { once: true });
  });
}

/** A page cannot see why a socket was refused; the session endpoint can tell. */
async function refused(reject: (error: Error) => void): Promise<void> {
  try {
    const answer = await fetch('/session', { credentials: 'same-origin' });
    reject(answer.status === 401 || answer.status === 403 ? new NotSignedIn() : new Error('not reachable'));
  } catch {
    reject(new Error('not reachable'));
  }
}

export async function openChannel(): Promise<Channel> {
  if (desktopShell() !== null) return messagePortChannel(await requestPort());
  return openSocket();
}
