// Everything in the page cache, on tmpfs: what a request costs the processor.
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { fio, type Load, named } from './fio.ts';
import { inTurn, loadRows, type Target } from './rows.ts';
import { filled, type Peer, type Server, serveNbdkit, serveQemu } from './servers.ts';

const MIB = 2 ** 20;
const FOUR: Target = { floor: 1.5, goal: 3 };
const ELSE: Target = { floor: 1, goal: 1.5 };
const ONE: Target = { floor: 1, goal: 3 };

const LOADS: readonly (readonly [Load, Target])[] = [
  [{ rw: 'randread', blockKib: 4, depth: 1 }, ONE],
  [{ rw: 'randread', blockKib: 4, depth: 32 }, FOUR],
  [{ rw: 'randwrite', blockKib: 4, depth: 1 }, ONE],
  [{ rw: 'randwrite', blockKib: 4, depth: 32 }, FOUR],
  [{ rw: 'randread', blockKib: 64, depth: 8 }, ELSE],
  [{ rw: 'randwrite', blockKib: 64, depth: 8 }, ELSE],
  [
    { rw: 'read', blockKib: 1024, depth: 4 },
    { floor: 1.5, goal: 1.5 },
  ],
  [
    { rw: 'write', blockKib: 1024, depth: 4 },
    { floor: 1.5, goal: 1.5 },
  ],
];

export async function hot({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const sizeBytes = (quick ? 256 : 1024) * MIB;
  const [rounds, seconds] = quick ? [3, 1] : [5, 3];
  const { ours, root } = await filled(sizeBytes, '/dev/shm');
  await using storage = ours.storage;
  await using vpc = await serveQemu(root, 'vpc', storage.folder);
  await using raw = await serveNbdkit(root, storage.folder);
  const rows: BenchRow[] = [];
  for (const [load, target] of LOADS) {
    const peers: readonly (readonly [Peer | null, Target | 'reported'])[] = [
      [vpc, target],
      [raw, 'reported'],
    ];
    const servers: Server[] = [ours, ...peers.flatMap(([peer]) => peer ?? [])];
    const measured = await inTurn(servers, rounds, ({ uri, pid }) => fio(uri, pid, load, seconds, sizeBytes));
    for (const [peer, wanted] of peers) {
      if (peer === null) continue;
      const figures = { ours: measured.get(ours) ?? [], theirs: measured.get(peer) ?? [] };
      rows.push(...loadRows({ work: `${named(load)}, hot`, peer: peer.name, ...figures }, wanted));
      say(`${named(load)}, hot: ${rows.at(-2)?.ratio.toFixed(2)} of ${peer.name}`);
    }
  }
  if (raw === null) say('hot: nbdkit is not installed, so it is not measured');
  return rows;
}
