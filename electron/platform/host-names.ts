// The names and addresses under which this computer may be reached.
import { networkInterfaces } from 'node:os';
import { hostName } from './paths.ts';

export const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** An address or name in the form it has in a URL. */
export const nameInUrl = (address: string): string => new URL(`http://${bracketed(address)}`).hostname;

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** All names of this computer as they stand in a URL: in lower case, IPv6 in brackets. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap(found => found ?? [])
    .map(({ address }) => bracketed(address.replace(/%.*$/, '')));
  return [...new Set([...LOOPBACK_NAMES, hostName(), ...addresses].map(name => name.toLowerCase()))];
}
