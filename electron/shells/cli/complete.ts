// `ebb __complete`: what a shell offers for the word being typed. Never starts the service and never keeps a
// person waiting: names that do not arrive within PATIENCE_MS are not offered.
import type { Client } from '../../../shared/rpc/client.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import { pause } from '../../platform/clock.ts';
import { candidates, FILES_LINE, type Living } from './completion.ts';
import { pickVm } from './pick.ts';

const PATIENCE_MS = 1000;

async function names(client: Client<Contract>, kind: Living, vm: string | null): Promise<readonly string[]> {
  if (kind === 'task') return (await client.call('task.list', {})).tasks.map(({ id }) => id.slice(0, 8));
  if (kind === 'deleted') return (await client.call('vm.trashed', {})).vms.map(({ name }) => name);
  const { vms } = await client.call('vm.list', {});
  if (kind === 'vm') return vms.map(({ spec }) => spec.name);
  if (vm === null) return [];
  const { spec } = pickVm(vms, vm);
  if (kind === 'disk') return spec.disks.map(({ id }) => id.slice(0, 8));
  const { moments, trash } = await client.call('timeline.get', { vmId: spec.id });
  return (kind === 'trashed' ? trash : moments).map(({ name }) => name);
}

async function living(kind: Living, vm: string | null): Promise<readonly string[]> {
  const { openRunning } = await import('./connect.ts');
  const client = await openRunning();
  if (client === null) return [];
  try {
    return await Promise.race([names(client, kind, vm), pause(PATIENCE_MS).then(() => [])]);
  } finally {
    client.close();
  }
}

/** One candidate a line. */
export async function complete(words: readonly string[]): Promise<string> {
  const found = candidates(words);
  const known = found.living === null ? [] : await living(found.living.kind, found.living.vm).catch(() => []);
  const lines = [...found.words, ...known.map(word => `${found.prefix}${word}`)];
  return [...new Set(lines), ...(found.isFile ? [FILES_LINE] : [])].join('\n');
}
