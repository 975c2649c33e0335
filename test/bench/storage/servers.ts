// Who serves the same content: our storage process, and QEMU's on a copy of the same root file.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import { newDiskId, newVmId, type StorageFixture, storageFixture } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';

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

export async function serveOurs(virtualBytes: number): Promise<Ours> {
  const storage = storageFixture();
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

export interface Peer extends Server, Disposable {}

/** `qemu-nbd` with its own default cache mode, one client, on a copy of the file. */
export async function serveQemu(path: string, format: 'vpc' | 'qcow2', near: string): Promise<Peer> {
  const folder = mkdtempSync(join(near, 'peer-'));
  const [copy, socket] = [join(folder, 'disk'), join(folder, 'socket')];
  copyFileSync(path, copy);
  const child: ChildProcess = spawn(
    'qemu-nbd',
    ['--persistent', '--shared=4', '-f', format, '-x', 'disk', '-k', socket, copy],
    { stdio: 'ignore' },
  );
  await until('qemu-nbd to listen', () => existsSync(socket));
  return {
    name: `qemu-nbd ${format}`,
    uri: `nbd+unix:///disk?socket=${socket}`,
    pid: child.pid ?? 0,
    [Symbol.dispose]: () => {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
