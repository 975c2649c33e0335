// Browsers without a browser: signed in by a link or a named token, as the gateway does it, and their channels to control.
import { joinAsBrowser } from '../../electron/control/start-on-demand.ts';
import type { SocketChannel } from '../../electron/transport/unix-socket.ts';
import type { AccessSession } from '../../shared/access.ts';
import type { Role } from '../../shared/roles.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import type { Ebb } from './ebb.ts';

type At = Pick<Ebb, 'paths' | 'call'>;

/** With a new token of that name; without one by a link. */
export async function signIn(
  { call }: At,
  role: Role = 'administer',
  name?: string,
  address = '127.0.0.1',
): Promise<AccessSession> {
  const token =
    name === undefined
      ? (await call('headless.link', { role })).token
      : (await call('headless.create-token', { name, role })).secret;
  return (await call('headless.sign-in', { token, address, agent: 'a test' })).session;
}

export const channelOf = ({ paths }: At, session: AccessSession): Promise<SocketChannel> =>
  joinAsBrowser(paths, { session: session.id, address: session.address });

export async function clientOf(at: At, session: AccessSession): Promise<Client<Contract>> {
  const client = connectClient(contract, await channelOf(at, session));
  await client.ready;
  return client;
}

export const browser = async (at: At, role: Role = 'administer', name?: string): Promise<Client<Contract>> =>
  clientOf(at, await signIn(at, role, name));
