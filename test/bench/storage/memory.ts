// What storage keeps in memory: some VMs with large disks and long histories, written to and read all over; beside as many
// of QEMU's servers with as much in one overlay each.
import { join } from 'node:path';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { newDiskId, newVmId } from '../../support/storage-process.ts';
import { residentMib } from '../cost/processes.ts';
import { fio } from './fio.ts';
import { limitRow } from './rows.ts';
import { type Peer, serveChain, shippedStorage } from './servers.ts';
import { scattered, tool, writeAll } from './writes.ts';

const MIB = 2 ** 20;
const DISK_BYTES = 20 * 2 ** 30;
const BYTES_PER_POINT = MIB / 2;

export async function memory({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const [vms, points] = quick ? [2, 10] : [4, 100];
  await using storage = shippedStorage();
  await using peers = new AsyncDisposableStack();
  const uris: string[] = [];
  const servers: Peer[] = [];
  for (let vm = 0; vm < vms; vm++) {
    const [vmId, diskId, socketPath] = [newVmId(), newDiskId(), storage.exportPath(`vm${vm}`)];
    await storage.client.openVm(vmId, storage.vmFolder(vmId));
    await storage.client.call('disk.create', { vmId, diskId, virtualBytes: DISK_BYTES });
    await storage.client.openExport(vmId, diskId, socketPath);
    const uri = `nbd+unix:///${diskId}?socket=${socketPath}`;
    uris.push(uri);
    const overlay = join(storage.folder, `${vm}.qcow2`);
    await tool('qemu-img', 'create', '-q', '-f', 'qcow2', overlay, `${DISK_BYTES}`);
    for (let point = 0; point < points; point++) {
      const writes = scattered(1000 * vm + point, DISK_BYTES, BYTES_PER_POINT);
      await writeAll(uri, 'raw', writes);
      await storage.client.call('moment.take', { vmId, name: `${point}`, note: '', kind: 'manual' });
      await writeAll(overlay, 'qcow2', writes);
    }
    servers.push(peers.use(await serveChain(overlay, storage.folder)));
    say(`memory: VM ${vm + 1} of ${vms}`);
  }
  const { pid } = await storage.client.call('storage.info', {});
  const load = { rw: 'randread', blockKib: 4, depth: 32 } as const;
  for (const uri of [...uris, ...servers.map(server => server.uri)]) await fio(uri, pid, load, 3, DISK_BYTES);
  const theirs = servers.reduce((sum, server) => sum + residentMib(server.pid), 0);
  const work = `memory of storage, ${vms} VMs × 20 GiB × ${points} points: MiB`;
  const figures = { work, peer: `${vms} × qemu-nbd`, ours: [residentMib(pid)], theirs: [theirs] };
  return [limitRow(figures, { floor: 250, goal: 150 })];
}
