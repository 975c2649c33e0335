// Nothing in the page cache, on the file system the disks are really on: what the disk gives to who asks it well.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTool } from '../../../electron/platform/process.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { fio, type Load, type Measured, named } from './fio.ts';
import { inTurn, loadRows, type Target } from './rows.ts';
import { filled, type Server, serveQemu } from './servers.ts';

const MIB = 2 ** 20;
const LOADS: readonly Load[] = [
  { rw: 'randread', blockKib: 4, depth: 1 },
  { rw: 'randread', blockKib: 4, depth: 32 },
  { rw: 'randread', blockKib: 64, depth: 1 },
  { rw: 'randread', blockKib: 64, depth: 32 },
];

/** What is clean of these files leaves the page cache. */
async function evict(paths: readonly string[]): Promise<void> {
  await runTool('sync', [], { timeoutMs: 600_000 });
  for (const path of paths)
    await runTool('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { timeoutMs: 60_000 });
}

export async function cold({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const sizeBytes = (quick ? 512 : 2048) * MIB;
  const [rounds, seconds] = quick ? [3, 1] : [5, 2];
  const { ours, root } = await filled(sizeBytes);
  await using storage = ours.storage;
  await using threads = await serveQemu(root, 'vpc', storage.folder, 'threads');
  await using uring = await serveQemu(root, 'vpc', storage.folder, 'io_uring');
  const images = readdirSync(dirname(root)).map(name => join(dirname(root), name));
  const files = new Map<Server, readonly string[]>([
    [ours, images],
    [threads, [threads.path]],
    [uring, [uring.path]],
  ]);
  const peers: readonly (readonly [Server, Target])[] = [
    [threads, { floor: 0.9, goal: 1.1 }],
    [uring, { floor: 0.75, goal: 1.1 }],
  ];
  const rows: BenchRow[] = [];
  for (const load of LOADS) {
    const measured = await inTurn([...files.keys()], rounds, async (server): Promise<Measured> => {
      await evict(files.get(server) ?? []);
      return fio(server.uri, server.pid, load, seconds, sizeBytes);
    });
    for (const [peer, wanted] of peers) {
      const figures = { ours: measured.get(ours) ?? [], theirs: measured.get(peer) ?? [] };
      // A disk that is waited for costs whoever waits: no target for that.
      rows.push(
        ...loadRows({ work: `${named(load)}, cold`, peer: peer.name, ...figures }, wanted, 'reported'),
      );
      say(`${named(load)}, cold: ${rows.at(-2)?.ratio.toFixed(2)} of ${peer.name}`);
    }
  }
  return rows;
}
