// A client of the service of this person's data folder, started where it does not run.

import type { Channel } from '../../../shared/rpc/channel.ts';
import { type Client, connectClient } from '../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import { rememberHash } from '../../../shared/rpc/hash.ts';
import { connectRunning, ensureControl } from '../../control/start-on-demand.ts';
import { defaultDataFolder } from '../../platform/paths.ts';

/** Set by the bundler, which knows the contract it bundles: making it anew takes as long as all the rest. */
declare const EBB_CONTRACT_HASH: string | undefined;

/** Calls may follow at once: where the two ends do not agree, each fails and says so. */
function clientOf(channel: Channel): Client<Contract> {
  if (typeof EBB_CONTRACT_HASH === 'string') rememberHash(contract, EBB_CONTRACT_HASH);
  return connectClient(contract, channel);
}

export const open = async (): Promise<Client<Contract>> =>
  clientOf((await ensureControl(defaultDataFolder())).channel);

/** Null where it does not run. */
export async function openRunning(): Promise<Client<Contract> | null> {
  const channel = await connectRunning(defaultDataFolder());
  return channel === null ? null : clientOf(channel);
}
