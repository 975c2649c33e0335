// T14 on a real file system whose disk cannot write: an ext4 on a loop device whose own file has no room. Linux then takes
// what it could not write for written, shows it to whoever reads, and forgets it when memory is short.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NbdClient } from '../../support/nbd-client.ts';
import { randomBytes } from '../../support/seeded.ts';
import { end, newDiskId, newVmId, storageFixture } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';
import { complaint } from '../../support/xfs-mount.ts';

const MIB = 2 ** 20;
const [READ, WRITE, FLUSH] = [0, 1, 3];

interface FailingDisk {
  readonly path: string;
  /** Without room nothing new can be written to it. */
  setRoom(isThere: boolean): void;
  /** As after a restart: what the host had of it in memory is gone. */
  remount(): void;
  remove(): void;
}

/** A string says why there is none. */
function failingDisk(): FailingDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting needs root on Linux';
  const base = mkdtempSync(join(tmpdir(), 'ebb-fail-'));
  const [under, path] = [join(base, 'under'), join(base, 'disk')];
  const [image, filler] = [join(under, 'image'), join(under, 'filler')];
  const must = (command: string, ...args: string[]): void => {
    const failed = complaint(command, args);
    if (failed !== null) throw new Error(failed);
  };
  for (const folder of [under, path]) mkdirSync(folder);
  const remove = (): void => {
    // Lazily: whoever was killed may still be closing its files.
    for (const folder of [path, under]) complaint('umount', ['-l', folder]);
    rmSync(base, { recursive: true, force: true });
  };
  try {
    must('mount', '-t', 'tmpfs', '-o', 'size=48m', 'ebb-test', under);
    writeFileSync(image, '');
    truncateSync(image, 512 * MIB);
    must('mkfs.ext4', '-q', '-O', '^has_journal', '-E', 'nodiscard,lazy_itable_init=0', image);
    must('mount', '-o', 'loop', image, path);
  } catch (cause) {
    remove();
    return String(cause);
  }
  return {
    path,
    setRoom: isThere => {
      rmSync(filler, { force: true });
      if (isThere) return;
      // What is zeros takes room again when it is written over, and then the tmpfs says no.
      must('fallocate', '--dig-holes', image);
      complaint('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'status=none']);
    },
    remount: () => {
      must('umount', path);
      must('mount', '-o', 'loop', image, path);
    },
    remove,
  };
}

const tried = failingDisk();
const why = typeof tried === 'string' ? tried : null;
if (typeof tried !== 'string') tried.remove();
if (why !== null) console.log(`a disk that cannot write: skipped, ${why}`);

it.skipIf(why !== null).each(['dies', 'lives on'])(
  'T14: a guest that lives on is not served after a failed sync, and what the next one reads is on the disk: storage %s',
  async storageThen => {
    const disk = failingDisk();
    if (typeof disk === 'string') throw new Error(disk);
    const storage = storageFixture();
    const { client } = storage;
    const [vmId, diskId, path] = [newVmId(), newDiskId(), storage.exportPath('a')];
    const vmFolder = join(disk.path, 'vm');
    mkdirSync(join(vmFolder, 'disks'), { recursive: true });
    const readAll = async (nbd: NbdClient): Promise<Buffer> =>
      (await nbd.call({ command: READ, offset: 0, length: 16 * MIB })).data;
    try {
      await client.openVm(vmId, vmFolder);
      await client.call('disk.create', { vmId, diskId, virtualBytes: 64 * MIB });
      await client.openExport(vmId, diskId, path);
      let nbd = await NbdClient.open(path);
      const write = async (at: number, payload: Buffer): Promise<void> =>
        expect((await nbd.call({ command: WRITE, offset: at * MIB, payload })).error).toBe(0);
      const flushed = randomBytes(4 * MIB, 1);
      await write(0, flushed);
      await write(4, Buffer.alloc(4 * MIB));
      expect((await nbd.call({ command: FLUSH })).error).toBe(0);
      disk.setRoom(false);
      // Over what is there, and where nothing was.
      for (const at of [4, 12]) await write(at, randomBytes(4 * MIB, at));
      expect((await nbd.call({ command: FLUSH })).error).not.toBe(0);
      disk.setRoom(true);
      if (storageThen === 'dies') {
        end(storage.pids[0] ?? 0);
        await until('it is served again', async () => {
          const found = await NbdClient.open(path).catch(() => null);
          if (found !== null) nbd = found;
          return found !== null && storage.pids.length > 1;
        });
      }
      expect((await nbd.call({ command: READ, offset: 0, length: 4096 })).error).not.toBe(0);
      expect((await nbd.call({ command: FLUSH })).error).not.toBe(0);
      nbd.close();
      // Its machine was switched off, and is started.
      await client.closeExport(vmId, diskId).catch(() => undefined);
      await client.openExport(vmId, diskId, path);
      nbd = await NbdClient.open(path);
      const found = await readAll(nbd);
      expect(found.subarray(0, 4 * MIB).equals(flushed)).toBe(true);
      expect((await nbd.call({ command: FLUSH })).error).toBe(0);
      nbd.close();
      await client.closeExport(vmId, diskId);
      await client.closeVm(vmId);
      disk.remount();
      await client.openVm(vmId, vmFolder);
      await client.openExport(vmId, diskId, path);
      nbd = await NbdClient.open(path);
      expect((await readAll(nbd)).equals(found)).toBe(true);
      nbd.close();
    } finally {
      await storage[Symbol.asyncDispose]();
      disk.remove();
    }
  },
  120_000,
);
