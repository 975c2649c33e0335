// What browsers may call this computer.
import { expect, it } from 'vitest';
import { nameInUrl, ownNames } from '../../../electron/platform/host-names.ts';

it.each([
  ['127.0.0.2', '127.0.0.2'],
  ['localhost', 'localhost'],
  ['::1', '[::1]'],
  ['::FFFF:127.0.0.1', '[::ffff:7f00:1]'],
])('%s stands in a URL as %s', (address, name) => {
  expect(nameInUrl(address)).toBe(name);
});

it('every name of its own is what a browser would send', () => {
  for (const name of ownNames()) expect(new URL(`http://${name}`).hostname, name).toBe(name);
});
