// T11: as each OS says which boot it is; two boots are never one.
import { expect, it } from 'vitest';
import { type BootPorts, bootId, bootIdOf } from '../../../electron/platform/boot-id.ts';

const nothing = (): never => {
  throw new Error('not here');
};
const ports = (given: Partial<BootPorts>): BootPorts => ({
  platform: 'linux',
  read: nothing,
  run: nothing,
  bootedMs: () => 1_700_000_040_000,
  ...given,
});

it.each([
  [ports({ read: () => '5a2f6a1e-0000-4000-8000-1f0a6a7c8f11\n' }), '5a2f6a1e-0000-4000-8000-1f0a6a7c8f11'],
  [
    ports({ platform: 'darwin', run: () => '7E7AF8FB-2B3B-4E1D-9C1F-3D6E0E2F1A11\n' }),
    '7E7AF8FB-2B3B-4E1D-9C1F-3D6E0E2F1A11',
  ],
  [
    ports({
      platform: 'win32',
      run: () => '\r\nHKEY_LOCAL_MACHINE\\SYSTEM\r\n    BootId    REG_DWORD    0x1c3\r\n\r\n',
    }),
    'boot-number-1c3',
  ],
  [
    ports({ platform: 'win32', run: () => 'ERROR: The system was unable to find the specified key.' }),
    'boot-28333334',
  ],
  [ports({}), 'boot-28333334'],
])('of %j', (given, id) => {
  expect(bootIdOf(given)).toBe(id);
});

it.each(['', null])('one that says %j does not say', said => {
  for (const platform of ['darwin', 'win32'] as const)
    expect(bootIdOf(ports({ platform, run: () => said }))).toBe('boot-28333334');
  expect(bootIdOf(ports({ read: () => said ?? '' }))).toBe('boot-28333334');
});

it('is no other because the OS did not answer once', () => {
  for (const platform of ['darwin', 'win32'] as const)
    expect(() => bootIdOf(ports({ platform }))).toThrow('not here');
});

it('here it is the same whenever it is asked', () => {
  expect(bootId()).toBe(bootId());
  expect(bootId().length).toBeGreaterThan(5);
});
