// What it costs to have a history: the newest state read and written beside qcow2 chains with as many points, and ours with
// many beside ours with one.
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { fio, type Load, type Measured, named } from './fio.ts';
import { inTurn, loadRows, row, type Target } from './rows.ts';
import { type Server, serveChain } from './servers.ts';
import { chainOf, timelineOf } from './timelines.ts';

const MIB = 2 ** 20;
const FOUR: Target = { floor: 1.5, goal: 3 };
const ELSE: Target = { floor: 1, goal: 1.5 };
const LOADS: readonly (readonly [Load, Target])[] = [
  [
    { rw: 'randread', blockKib: 4, depth: 1 },
    { floor: 1, goal: 3 },
  ],
  [{ rw: 'randread', blockKib: 4, depth: 32 }, FOUR],
  [{ rw: 'randwrite', blockKib: 4, depth: 32 }, FOUR],
  [{ rw: 'randread', blockKib: 64, depth: 8 }, ELSE],
  [
    { rw: 'read', blockKib: 1024, depth: 4 },
    { floor: 1.5, goal: 1.5 },
  ],
];
const NEAR = '/dev/shm';

export async function chains({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const sizeBytes = (quick ? 128 : 512) * MIB;
  const [rounds, seconds, bytesPerPoint] = quick ? [3, 1, MIB] : [5, 2, 4 * MIB];
  const rows: BenchRow[] = [];
  const one = await timelineOf(sizeBytes, 1, bytesPerPoint, NEAR);
  await using oneStorage = one.ours.storage;
  for (const points of quick ? [8] : [1, 8, 32, 100]) {
    const { ours } = points === 1 ? one : await timelineOf(sizeBytes, points, bytesPerPoint, NEAR);
    using chain = await chainOf(one.root, sizeBytes, points, bytesPerPoint, oneStorage.folder);
    await using peer = await serveChain(chain.paths.at(-1) ?? '', oneStorage.folder);
    for (const [load, target] of LOADS) {
      const servers: Server[] = points === 1 ? [ours, peer] : [ours, peer, one.ours];
      const measured = await inTurn(servers, rounds, ({ uri, pid }) =>
        fio(uri, pid, load, seconds, sizeBytes),
      );
      const of = (server: Server): Measured[] => measured.get(server) ?? [];
      const work = `${named(load)}, ${points} points`;
      rows.push(
        ...loadRows(
          { work, peer: `qemu-nbd qcow2, ${points} points`, ours: of(ours), theirs: of(peer) },
          target,
        ),
      );
      say(`${work}: ${rows.at(-2)?.ratio.toFixed(2)} of qcow2`);
      if (points === 1 || load.rw === 'randwrite') continue;
      const iops = (server: Server): number[] => of(server).map(found => found.iops);
      const wanted = points === 100 ? { floor: 0.95, goal: 0.98 } : 'reported';
      rows.push(row({ work, peer: 'ours, 1 point', ours: iops(ours), theirs: iops(one.ours) }, wanted));
      say(`${work}: ${rows.at(-1)?.ratio.toFixed(2)} of ours with one`);
    }
    if (ours !== one.ours) await ours.storage[Symbol.asyncDispose]();
  }
  return rows;
}
