// Who serves the same content: our storage process, and others on a copy of the same root file.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../../build/layers.ts';
import { findProgram } from '../../../electron/platform/process.ts';
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import { newDiskId, newVmId, type StorageFixture, storageFixture } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';
import { fio } from './fio.ts';

export interface Server {
  readonly name: string;
  readonly uri: string;
  readonly pid: number;
}

export interface Ours extends Server {
  readonly storage: StorageFixture;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  readonly timeline: () => Promise<Timeline>;
  readonly pointPath: (pointId: string) => string;
}

/** As it is shipped. */
export const shippedStorage = (near?: string): StorageFixture =>
  storageFixture(near, pathToFileURL(join(repositoryRoot, 'dist/electron/storage/main.js')));

/** `near`: the folder its files are under; left out: the temporary one. */
export async function serveOurs(virtualBytes: number, near?: string): Promise<Ours> {
  const storage = shippedStorage(near);
  const [vmId, diskId] = [newVmId(), newDiskId()];
  const folder = storage.vmFolder(vmId);
  await storage.client.openVm(vmId, folder);
  await storage.client.call('disk.create', { vmId, diskId, virtualBytes });
  const socketPath = storage.exportPath('ours');
  await storage.client.openExport(vmId, diskId, socketPath);
  const { pid } = await storage.client.call('storage.info', {});
  return {
    name: 'ours',
    uri: `nbd+unix:///${diskId}?socket=${socketPath}`,
    pid,
    storage,
    vmId,
    diskId,
    timeline: () => storage.client.call('timeline.get', { vmId }),
    pointPath: pointId => join(folder, 'disks', diskId, `${pointId}.vhd`),
  };
}

/** Filled through the export, taken, and settled: one root and an empty leaf. */
export async function filled(
  sizeBytes: number,
  near?: string,
): Promise<{ readonly ours: Ours; readonly root: string }> {
  const ours = await serveOurs(sizeBytes, near);
  const { vmId, storage, uri, pid, timeline, pointPath } = ours;
  await fio(uri, pid, { rw: 'write', blockKib: 1024, depth: 8 }, 0, sizeBytes);
  const taken = await storage.client.call('moment.take', { vmId, name: 'filled', note: '', kind: 'manual' });
  await until('the timeline to be at rest', async () => (await timeline()).settle.state === 'rest');
  return { ours, root: pointPath(taken.points[0]?.pointId ?? '') };
}

export interface Peer extends Server, AsyncDisposable {
  /** Its copy. */
  readonly path: string;
}

async function served(
  name: string,
  near: string,
  fill: (path: string) => void,
  [command, argsFor]: readonly [string, (path: string, socket: string) => string[]],
): Promise<Peer> {
  const folder = mkdtempSync(join(near, 'peer-'));
  const [path, socket] = [join(folder, 'disk'), join(folder, 'socket')];
  fill(path);
  const child: ChildProcess = spawn(command, argsFor(path, socket), { stdio: 'ignore' });
  await until(`${name} to listen`, () => existsSync(socket));
  return {
    name,
    uri: `nbd+unix:///disk?socket=${socket}`,
    pid: child.pid ?? 0,
    path,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      // Its files are its own until it has ended.
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `qemu-nbd` with its own default cache mode, one client, on a copy of the file. */
export const serveQemu = (
  path: string,
  format: 'vpc' | 'qcow2',
  near: string,
  aio?: 'threads' | 'io_uring',
): Promise<Peer> =>
  served(
    aio === undefined ? `qemu-nbd ${format}` : `qemu-nbd ${format} ${aio}`,
    near,
    copy => copyFileSync(path, copy),
    [
      'qemu-nbd',
      (copy, socket) => [
        ...['--persistent', '--shared=4', '-f', format, '-x', 'disk', '-k', socket],
        ...(aio === undefined ? [] : [`--aio=${aio}`]),
        copy,
      ],
    ],
  );

/** `qemu-nbd` on a file where it is, and what that hangs off. */
export const serveChain = (path: string, near: string): Promise<Peer> =>
  served('qemu-nbd qcow2', near, () => undefined, [
    'qemu-nbd',
    (_, socket) => ['--persistent', '--shared=4', '-f', 'qcow2', '-x', 'disk', '-k', socket, path],
  ]);

/** `nbdkit file` on the content alone, no format; null where it is not installed. */
export async function serveNbdkit(root: string, near: string): Promise<Peer | null> {
  if (findProgram('nbdkit') === null) return null;
  return served(
    'nbdkit file',
    near,
    raw => {
      spawnSync('qemu-img', ['convert', '-f', 'vpc', '-O', 'raw', root, raw]);
    },
    ['nbdkit', (raw, socket) => ['-f', '-U', socket, '-e', 'disk', 'file', raw]],
  );
}
