// What others may call this computer.
import { networkInterfaces } from 'node:os';
import { hostName } from './paths.ts';

export const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** In lower case, IPv6 in brackets, as they stand in a URL. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap(found => found ?? [])
    .map(({ address, family }) => (family === 'IPv6' ? `[${address.replace(/%.*$/, '')}]` : address));
  return [...new Set([...LOOPBACK_NAMES, hostName(), ...addresses].map(name => name.toLowerCase()))];
}
