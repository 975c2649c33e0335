// fio as an NBD client: the same requests to any server. Source of the figures: fio's own JSON.
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { runTool } from '../../../electron/platform/process.ts';

export interface Load {
  readonly rw: 'randread' | 'randwrite' | 'read' | 'write';
  readonly blockKib: number;
  readonly depth: number;
  readonly fsyncEvery?: number;
  /** Of the whole disk, so many bytes; each place once. */
  readonly firstBytes?: number;
}

export const named = ({ rw, blockKib, depth }: Load): string => `${rw} ${blockKib}k qd${depth}`;

export interface Measured {
  readonly iops: number;
  readonly mibPerSecond: number;
  readonly p99Us: number;
  /** Of the server's process, all threads. */
  readonly cpuUsPerOp: number;
}

const sideSchema = z.object({
  total_ios: z.number(),
  iops: z.number(),
  bw_bytes: z.number(),
  clat_ns: z.object({ percentile: z.record(z.string(), z.number()).default({}) }),
});
const outputSchema = z.object({
  jobs: z.array(z.object({ error: z.number(), read: sideSchema, write: sideSchema })).min(1),
});
const TICK_US = 10_000;

/** User and system time of a process so far, µs. /proc/<pid>/stat, fields 14 and 15 (proc(5)). */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

export async function fio(
  uri: string,
  serverPid: number,
  load: Load,
  seconds: number,
  sizeBytes: number,
): Promise<Measured> {
  const before = cpuUs(serverPid);
  const { code, stdout, stderr } = await runTool(
    'fio',
    [
      '--name=load',
      '--ioengine=nbd',
      `--uri=${uri}`,
      `--rw=${load.rw}`,
      `--bs=${load.blockKib}k`,
      `--iodepth=${load.depth}`,
      `--size=${sizeBytes}`,
      // 0 seconds: the whole disk once.
      ...(seconds === 0 ? [] : ['--time_based', `--runtime=${seconds}`]),
      '--randseed=1',
      ...(load.firstBytes === undefined ? ['--norandommap'] : [`--io_size=${load.firstBytes}`]),
      ...(load.fsyncEvery === undefined ? [] : [`--fsync=${load.fsyncEvery}`]),
      '--refill_buffers=0',
      '--output-format=json',
    ],
    { timeoutMs: (seconds + 300) * 1000 },
  );
  if (code !== 0) throw new Error(`fio: ${stderr.slice(-400)}`);
  const spent = cpuUs(serverPid) - before;
  const [job] = outputSchema.parse(JSON.parse(stdout.slice(stdout.indexOf('{')))).jobs;
  if (job === undefined || job.error !== 0) throw new Error(`fio ended with error ${job?.error}`);
  const side = load.rw.endsWith('read') ? job.read : job.write;
  return {
    iops: side.iops,
    mibPerSecond: side.bw_bytes / 2 ** 20,
    p99Us: (side.clat_ns.percentile['99.000000'] ?? 0) / 1000,
    cpuUsPerOp: spent / Math.max(1, side.total_ios),
  };
}

const gapSchema = z.object({
  jobs: z
    .array(
      z.object({
        error: z.number(),
        write: z.object({ lat_ns: z.object({ max: z.number() }) }),
        sync: z.object({ lat_ns: z.object({ max: z.number() }) }),
      }),
    )
    .min(1),
});

/** Of a writer that writes 4 KiB every ms and waits until it is durable: the slowest write and the slowest flush together. */
export async function longestGapMs(uri: string, seconds: number, sizeBytes: number): Promise<number> {
  const args = [
    ...['--name=writer', '--ioengine=nbd', `--uri=${uri}`, '--rw=randwrite', '--bs=4k', '--iodepth=1'],
    ...['--fsync=1', '--thinktime=1000', `--size=${sizeBytes}`, '--time_based', `--runtime=${seconds}`],
    ...['--norandommap', '--output-format=json'],
  ];
  const { code, stdout, stderr } = await runTool('fio', args, { timeoutMs: (seconds + 300) * 1000 });
  const [job] = code === 0 ? gapSchema.parse(JSON.parse(stdout.slice(stdout.indexOf('{')))).jobs : [];
  if (job === undefined || job.error !== 0) throw new Error(`fio: ${stderr.slice(-400)}`);
  return (job.write.lat_ns.max + job.sync.lat_ns.max) / 1e6;
}
