// Signs the browser in: a one-use token in the URL's fragment becomes a cookie, then the socket opens.
import type { ErrorBody } from '../../shared/errors.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import type { SignedOut } from '../state/service.ts';
import { errorIn } from './answers.ts';
import { messagePortChannel, webSocketChannel } from './channel.ts';
import { desktopShell, requestPort } from './shell.ts';

/** The browser has no session: only a fresh link or a token helps. */
export class NotSignedIn extends Error {
  readonly why: SignedOut;

  constructor(why: SignedOut) {
    super('not signed in');
    this.why = why;
  }
}

/** Why a sign-in failed: a wrong token, too many failures, no answer, or the service's own error. */
export type NotIn = 'wrong' | 'too-often' | 'not-reached' | ErrorBody;

/**
 * Takes the token out of the address before anything can log or share it, and signs in with it. Returns the
 * service's error, if it gave one. A used token with a living cookie is a reload: the socket will tell
 * whether that is good.
 */
export async function exchangeToken(): Promise<ErrorBody | null> {
  const token = /^#token=([\w-]+)$/.exec(window.location.hash)?.[1];
  if (token === undefined) return null;
  window.history.replaceState(null, '', window.location.pathname);
  const notIn = await signIn(token);
  return typeof notIn === 'object' ? notIn : null;
}

/** Null: the browser is signed in. */
export async function signIn(token: string): Promise<NotIn | null> {
  try {
    const answer = await fetch('/session', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) return null;
    if (answer.status === 429) return 'too-often';
    const said = errorIn(await answer.json().catch(() => null));
    if (said !== null && said.code !== 'rpc.denied') return said;
    return answer.status === 403 ? 'wrong' : 'not-reached';
  } catch {
    return 'not-reached';
  }
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
    const why = answer.status === 410 ? 'ended' : errorIn(await answer.json().catch(() => null));
    reject([401, 403, 410].includes(answer.status) ? new NotSignedIn(why) : new Error('not reachable'));
  } catch {
    reject(new Error('not reachable'));
  }
}

export async function openChannel(): Promise<Channel> {
  if (desktopShell() !== null) return messagePortChannel(await requestPort());
  return openSocket();
}
