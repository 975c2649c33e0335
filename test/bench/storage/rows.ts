// Figures of ours and of a peer, measured in turn in one run: medians, and the spread of ours. Pure.
import { type BenchRow, median } from '../../support/report.ts';
import type { Measured } from './fio.ts';

/** Both are printed: what must hold, and what we are here for. */
export interface Target {
  readonly floor: number;
  readonly goal: number;
}
/** No target: the figure alone. */
export type Wanted = Target | 'reported';

const CPU: Target = { floor: 0.7, goal: 0.25 };

const spreadOf = (values: readonly number[]): number =>
  values.length < 2 ? 0 : (Math.max(...values) - Math.min(...values)) / median(values);

interface Figures {
  readonly work: string;
  readonly peer: string;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** `isLess`: less is better, and the ratio of ours to theirs is to be below the target. */
export function row({ work, peer, ours, theirs }: Figures, wanted: Wanted, isLess = false): BenchRow {
  const [mine, other] = [median(ours), median(theirs)];
  const ratio = mine / other;
  const sign = isLess ? '≤' : '≥';
  const isMet = wanted === 'reported' || (isLess ? ratio <= wanted.floor : ratio >= wanted.floor);
  return {
    work: isLess ? `${work} (less is better)` : work,
    peer,
    ours: mine,
    theirs: other,
    ratio,
    spread: spreadOf(ours),
    target: wanted === 'reported' ? wanted : `${sign} ${wanted.floor}, goal ${sign} ${wanted.goal}`,
    met: isMet,
  };
}

/** Less than so much is wanted, whatever the peer does. */
export function limitRow({ work, peer, ours, theirs }: Figures, wanted: Target): BenchRow {
  const found = row({ work, peer, ours, theirs }, 'reported', true);
  const target = `≤ ${wanted.floor}, goal ≤ ${wanted.goal}`;
  return { ...found, target, met: found.ours <= wanted.floor };
}

/** Operations a second, and what one costs the server's processor. */
export function loadRows(
  figures: { readonly work: string; readonly peer: string; ours: Measured[]; theirs: Measured[] },
  wanted: Wanted,
  cpu: Wanted = CPU,
): BenchRow[] {
  const { work, peer, ours, theirs } = figures;
  const each = (figure: (one: Measured) => number) => ({
    peer,
    ours: ours.map(figure),
    theirs: theirs.map(figure),
  });
  return [
    row({ ...each(one => one.iops), work: `${work}: operations/s` }, wanted),
    row(
      { ...each(one => one.cpuUsPerOp), work: `${work}: server CPU µs/operation` },
      wanted === 'reported' ? wanted : cpu,
      true,
    ),
  ];
}

/** In turn, so that whatever else the machine does falls on all of them. */
export async function inTurn<K, T>(
  servers: readonly K[],
  rounds: number,
  measure: (server: K) => Promise<T>,
): Promise<Map<K, T[]>> {
  const measured = new Map<K, T[]>(servers.map(server => [server, []]));
  for (let round = 0; round < rounds; round++)
    for (const server of servers) measured.get(server)?.push(await measure(server));
  return measured;
}
