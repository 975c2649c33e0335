// A client that outlives its socket: connects at the first call, and at the first after each close.

import type { Channel } from '../../shared/rpc/channel.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import type { ContractTable } from '../../shared/rpc/table.ts';

/** Each call of the returned function resolves with an open client whose hello was accepted. */
export function reopeningClient<C extends ContractTable>(
  table: C,
  connect: () => Promise<Channel>,
): () => Promise<Client<C>> {
  let current: Promise<Client<C>> | null = null;
  const open = async (): Promise<Client<C>> => {
    const client = connectClient(table, await connect());
    client.onClose(() => {
      current = null;
    });
    await client.ready;
    return client;
  };
  return () => {
    if (current !== null) return current;
    const opening = open();
    current = opening;
    opening.catch(() => {
      if (current === opening) current = null;
    });
    return opening;
  };
}
