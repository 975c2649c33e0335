// What others may call this computer.
import { networkInterfaces } from 'node:os';
import { hostName } from './paths.ts';

export const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** As it stands in a URL. */
export const nameInUrl = (address: string): string => new URL(`http://${bracketed(address)}`).hostname;

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** In lower case, IPv6 in brackets, as they stand in a URL. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap(found => found ?? [])
    .map(({ address }) => bracketed(address.replace(/%.*$/, '')));
  return [...new Set([...LOOPBACK_NAMES, hostName(), ...addresses].map(name => name.toLowerCase()))];
}
