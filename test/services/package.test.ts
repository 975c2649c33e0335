// A deb as `npm run dist` makes it, by electron-builder with the runtime this machine has: looked into, and `ebb` run
// from what it unpacks to, on a machine that knows nothing of this repository.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { buildAll } from '../../build/build-all.ts';
import { repositoryRoot } from '../../build/layers.ts';
import { judgePackage } from '../../build/package/judge.ts';
import { judgeLinux } from '../../build/package/judge-linux.ts';
import { hostTarget, pack } from '../../build/package/pack.ts';
import { unpacked } from '../../build/package/unpack.ts';
import { readPackage } from '../../build/package/unpacked.ts';
import { projectVersion } from '../../build/version.ts';

vi.setConfig({ testTimeout: 300_000 });

const target = `linux-${process.arch}`;
const OUTPUT = 'dist/package-test';
afterAll(() => rmSync(join(repositoryRoot, OUTPUT), { recursive: true, force: true }));

it('a deb holds what it should and nothing else, and its command line runs', async () => {
  await buildAll({ always: false });
  const { status, files, standInBecause } = await pack(hostTarget(), OUTPUT, 'deb');
  if (standInBecause !== null) console.log(`package: with a STAND-IN for Electron (${standInBecause})`);
  expect(status).toBe(0);
  const [deb = ''] = files;
  // Nobody takes one without a window for the real thing.
  expect(deb.includes('STAND-IN')).toBe(standInBecause !== null);
  const found = unpacked(deb, (folder, around) => ({
    complaints: [...judgePackage(readPackage(folder)), ...judgeLinux(around, projectVersion(), target)],
    told: spawnSync(join(folder, 'resources', 'runtime', 'bin', 'ebb'), ['man'], {
      env: { PATH: '/usr/bin:/bin' },
      encoding: 'utf8',
    }),
  }));
  expect(found.complaints).toEqual([]);
  expect(found.told).toMatchObject({ status: 0, stderr: '' });
  expect(found.told.stdout).toContain('.TH EBB 1');
});
