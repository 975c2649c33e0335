// The same edge turned by sharing blocks (T16) and by copying them: on two XFS of one size, one of which cannot share.
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { type Mounted, mountXfs } from '../../support/xfs-mount.ts';
import { type Turned, turn } from './reversals.ts';
import { row } from './rows.ts';
import { filled } from './servers.ts';
import { contiguous, scattered, type Write } from './writes.ts';

const MIB = 2 ** 20;

type Rounds = readonly { readonly name: string; readonly writes: readonly Write[] }[];

/** Each round's writes in turn on both: shared first, copied second. */
async function turned(places: readonly Mounted[], sizeBytes: number, rounds: Rounds): Promise<Turned[][]> {
  const timelines = [];
  for (const { path } of places) timelines.push((await filled(sizeBytes, path)).ours);
  const measured: Turned[][] = places.map(() => []);
  try {
    for (const { name, writes } of rounds)
      for (const [index, ours] of timelines.entries()) measured[index]?.push(await turn(ours, writes, name));
  } finally {
    for (const { storage } of timelines) await storage[Symbol.asyncDispose]();
  }
  return measured;
}

export async function reflinks({ quick, say, seed }: SuiteOptions): Promise<BenchRow[]> {
  const [sizeBytes, changedBytes, rounds] = quick ? [256 * MIB, 64 * MIB, 3] : [2048 * MIB, 1024 * MIB, 5];
  const places: Mounted[] = [];
  try {
    for (const reflinks of [true, false]) {
      const place = mountXfs(5 * sizeBytes, { reflinks, name: 'xfs' });
      if (typeof place === 'string') {
        say(`reflinks: not measured: ${place}`);
        return [];
      }
      places.push(place);
    }
    const rows: BenchRow[] = [];
    for (const kind of ['scattered', 'contiguous'] as const) {
      const [shared = [], copied = []] = await turned(
        places,
        sizeBytes,
        Array.from({ length: rounds }, (_, round) => ({
          name: `${kind} ${round}`,
          writes:
            kind === 'scattered'
              ? scattered(seed + round, sizeBytes, changedBytes)
              : contiguous(0, changedBytes),
        })),
      );
      const work = `reverse ${changedBytes / MIB} MiB ${kind} with reflinks`;
      const speeds = (all: readonly Turned[]) => all.map(({ seconds }) => 1 / seconds);
      rows.push(
        row(
          { work: `${work}: times/s`, peer: 'copying', ours: speeds(shared), theirs: speeds(copied) },
          { floor: 5, goal: 20 },
        ),
        row(
          {
            work: `${work}: bytes written`,
            peer: 'bytes changed',
            ours: shared.map(({ writtenBytes }) => writtenBytes / changedBytes),
            theirs: [1],
          },
          { floor: 2.1, goal: 0.05 },
          true,
        ),
      );
      say(`${work}: ${rows.at(-2)?.ratio.toFixed(2)} of copying, ${rows.at(-1)?.ratio.toFixed(3)} written`);
    }
    return rows;
  } finally {
    for (const place of places) place.remove();
  }
}
