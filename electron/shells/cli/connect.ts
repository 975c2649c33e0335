// Connects to the service of this person's data folder, starting it where it does not run.

import type { Channel } from '../../../shared/rpc/channel.ts';
import { type Client, connectClient } from '../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import { rememberHash } from '../../../shared/rpc/hash.ts';
import { connectRunning, ensureControl } from '../../control/start-on-demand.ts';
import { defaultDataFolder } from '../../platform/paths.ts';

/** Set by the bundler, which knows the contract: hashing it takes as long as the rest of a start. */
declare const EBB_CONTRACT_HASH: string | undefined;

/** Calls may follow at once: if the two ends do not agree on the contract, every call fails and says so. */
function clientOf(channel: Channel): Client<Contract> {
  if (typeof EBB_CONTRACT_HASH === 'string') rememberHash(contract, EBB_CONTRACT_HASH);
  return connectClient(contract, channel);
}

export const open = async (): Promise<Client<Contract>> =>
  clientOf((await ensureControl(defaultDataFolder())).channel);

/** Null: the service does not run. */
export async function openRunning(): Promise<Client<Contract> | null> {
  const channel = await connectRunning(defaultDataFolder());
  return channel === null ? null : clientOf(channel);
}
