// `npm run -s bench -- storage [--quick] [--json]`: our NBD server beside QEMU's on the same content, alternating in one
// run. Medians of the repetitions; spread is (max − min) ÷ median of ours.
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { fio, type Load, type Measured } from './fio.ts';
import { type Ours, type Server, serveOurs, serveQemu } from './servers.ts';

interface Row {
  readonly load: Load;
  readonly floor: number;
}

const ROWS: readonly Row[] = [
  { load: { rw: 'randread', blockKib: 4, depth: 1 }, floor: 1 },
  { load: { rw: 'randread', blockKib: 4, depth: 32 }, floor: 1.5 },
  { load: { rw: 'randwrite', blockKib: 4, depth: 1 }, floor: 1 },
  { load: { rw: 'randwrite', blockKib: 4, depth: 32 }, floor: 1.5 },
  { load: { rw: 'randread', blockKib: 64, depth: 8 }, floor: 1 },
  { load: { rw: 'randwrite', blockKib: 64, depth: 8 }, floor: 1 },
  { load: { rw: 'read', blockKib: 1024, depth: 4 }, floor: 1.5 },
  { load: { rw: 'write', blockKib: 1024, depth: 4 }, floor: 1.5 },
];
const CPU_FLOOR = 0.7;
const MIB = 2 ** 20;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const spreadOf = (values: readonly number[]): number =>
  values.length < 2 ? 0 : (Math.max(...values) - Math.min(...values)) / median(values);
const named = ({ rw, blockKib, depth }: Load): string => `${rw} ${blockKib}k qd${depth}, hot`;

function rows(work: string, peer: string, floor: number, ours: Measured[], theirs: Measured[]): BenchRow[] {
  const figure = (each: (one: Measured) => number) => ({
    ours: median(ours.map(each)),
    theirs: median(theirs.map(each)),
    spread: spreadOf(ours.map(each)),
  });
  const speed = figure(one => one.iops);
  const cpu = figure(one => one.cpuUsPerOp);
  const ratio = speed.ours / speed.theirs;
  const cpuRatio = cpu.ours / cpu.theirs;
  return [
    { work: `${work}: operations/s`, peer, ...speed, ratio, target: `≥ ${floor}`, met: ratio >= floor },
    {
      work: `${work}: server CPU µs/operation (less is better)`,
      peer,
      ...cpu,
      ratio: cpuRatio,
      target: `≤ ${CPU_FLOOR}`,
      met: cpuRatio <= CPU_FLOOR,
    },
  ];
}

/** Filled through the export, taken, and settled: one root and an empty leaf. */
async function filled(sizeBytes: number): Promise<{ readonly ours: Ours; readonly root: string }> {
  const ours = await serveOurs(sizeBytes);
  await fio(ours.uri, ours.pid, { rw: 'write', blockKib: 1024, depth: 8 }, 0, sizeBytes);
  const taken = await ours.storage.client.call('moment.take', {
    vmId: ours.vmId,
    name: 'filled',
    note: '',
    kind: 'manual',
  });
  return { ours, root: ours.pointPath(taken.points[0]?.pointId ?? '') };
}

export async function run({ quick, say }: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  const sizeBytes = (quick ? 256 : 1024) * MIB;
  const [repetitions, seconds] = quick ? [3, 1] : [5, 3];
  const { ours, root } = await filled(sizeBytes);
  await using _storage = ours.storage;
  using peer = await serveQemu(root, 'vpc', ours.storage.folder);
  const found: BenchRow[] = [];
  for (const { load, floor } of ROWS) {
    const measured = new Map<Server, Measured[]>([
      [ours, []],
      [peer, []],
    ]);
    for (let round = 0; round < repetitions; round++) {
      for (const [server, list] of measured)
        list.push(await fio(server.uri, server.pid, load, seconds, sizeBytes));
    }
    found.push(...rows(named(load), peer.name, floor, measured.get(ours) ?? [], measured.get(peer) ?? []));
    say(`${named(load)}: ${found.at(-2)?.ratio.toFixed(2)} of ${peer.name}`);
  }
  return { rows: found };
}
