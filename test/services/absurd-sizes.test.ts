// T15: images that promise more than a disk of ours can be, and hold next to nothing, are refused before room is made for
// them. No guest runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../shared/result.ts';
import type { DiskFormat } from '../../shared/vm.ts';
import { Ebb } from '../support/ebb.ts';
import { sparseVmdk } from '../support/hostile-images.ts';

const TIB = 2 ** 40;
const folder = mkdtempSync(join(tmpdir(), 'ebb-absurd-'));

let ebb: Ebb;
beforeAll(async () => {
  ebb = await Ebb.start();
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const sparse = (bytes: number) => (path: string) => {
  writeFileSync(path, '');
  truncateSync(path, bytes);
};
const vmdk = (sectors: bigint) => (path: string) =>
  writeFileSync(path, sparseVmdk({ descriptor: '', capacity: sectors }));
const vhdx = (bytes: number) => (path: string) =>
  void execFileSync('qemu-img', ['create', '-q', '-f', 'vhdx', path, String(bytes)]);

const IMAGES: readonly (readonly [string, DiskFormat, (path: string) => void, string])[] = [
  ['a raw file of 3 TiB', 'raw', sparse(3 * TIB), 'disk.too-large'],
  ['a raw file of 15 TiB', 'raw', sparse(15 * TIB), 'disk.too-large'],
  ['a VHDX of 3 TiB', 'vhdx', vhdx(3 * TIB), 'disk.too-large'],
  ['a VHDX of 60 TiB', 'vhdx', vhdx(60 * TIB), 'disk.too-large'],
  // QEMU asks for a grain table of that size first, which is not in the file.
  ['a VMDK of 3 TiB', 'vmdk', vmdk(BigInt(3 * TIB) / 512n), 'import.bad-format|disk.too-large'],
  ['a VMDK of 8 ZiB', 'vmdk', vmdk(2n ** 64n - 1n), 'import.bad-format|disk.too-large'],
];

describe('absurd sizes', () => {
  it.each(IMAGES)('T15: %s is refused', async (what, format, make, code) => {
    const path = join(folder, what);
    make(path);
    const { file } = await ebb.call('file.register', { path });
    const refusal = await ebb
      .call('vm.create', {
        ...{ name: what, os: 'other', cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
        source: { kind: 'disk', file, format },
      })
      .catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(Fault);
    const { body } = refusal as Fault;
    expect(body.code).toMatch(new RegExp(`^(?:${code})$`));
    expect(body.what).toMatch(/expected at most 2190433320960|is not a whole vmdk image/);
    const homes = join(ebb.paths.dataFolder, 'vms');
    expect(existsSync(homes) ? readdirSync(homes) : []).toEqual([]);
    expect((await ebb.call('vm.list', {})).vms).toEqual([]);
  });
});
