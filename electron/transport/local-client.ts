// A client over a socket that may end and be opened again: made at its first call, forgotten when it closes.

import type { Channel } from '../../shared/rpc/channel.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import type { ContractTable } from '../../shared/rpc/table.ts';

/** Each call of the result resolves with an agreed, open client. */
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
