// First writes after a point was taken, flushed every eight, on the file system the disks are really on: what the newest
// state pays for the older ones.
import { join } from 'node:path';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { fio, type Load } from './fio.ts';
import { row } from './rows.ts';
import { filled, serveChain } from './servers.ts';
import { take } from './timelines.ts';
import { tool } from './writes.ts';

const MIB = 2 ** 20;
const BLOCKS_KIB = [4, 64, 1024];

export async function firstWrites({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const sizeBytes = (quick ? 256 : 1024) * MIB;
  const rounds = quick ? 3 : 5;
  const { ours, root } = await filled(sizeBytes);
  await using storage = ours.storage;
  await storage.client.call('settle.set', { vmId: ours.vmId, to: 'pause' });
  const base = join(storage.folder, 'base.qcow2');
  await tool('qemu-img', 'convert', '-f', 'vpc', '-O', 'qcow2', root, base);
  const rows: BenchRow[] = [];
  for (const blockKib of BLOCKS_KIB) {
    const load: Load = {
      rw: 'randwrite',
      blockKib,
      depth: 8,
      fsyncEvery: 8,
      firstBytes: blockKib * 2048 * 1024,
    };
    const bytes = Math.min(load.firstBytes ?? 0, sizeBytes / 4);
    const [mine, theirs]: number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      await take(ours, `${blockKib} ${round}`);
      await tool('sync');
      mine?.push((await fio(ours.uri, ours.pid, { ...load, firstBytes: bytes }, 0, sizeBytes)).mibPerSecond);
      const overlay = join(storage.folder, `overlay-${blockKib}-${round}.qcow2`);
      await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, overlay);
      await using peer = await serveChain(overlay, storage.folder);
      await tool('sync');
      theirs?.push(
        (await fio(peer.uri, peer.pid, { ...load, firstBytes: bytes }, 0, sizeBytes)).mibPerSecond,
      );
    }
    const work = `first writes of ${blockKib}k, flushed every 8: MiB/s`;
    rows.push(
      row(
        { work, peer: 'qemu-nbd, a qcow2 overlay', ours: mine ?? [], theirs: theirs ?? [] },
        { floor: 1, goal: 1.5 },
      ),
    );
    say(`${work}: ${rows.at(-1)?.ratio.toFixed(2)} of qcow2`);
  }
  return rows;
}
