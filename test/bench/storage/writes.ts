// The same writes into a disk of ours and into a file of QEMU's, by the same program.
import { runTool } from '../../../electron/platform/process.ts';
import { Seeded } from '../../support/seeded.ts';

export interface Write {
  readonly at: number;
  readonly bytes: number;
  readonly pattern: number;
}
const KIB = 1024;
/** Of one call of qemu-io. */
const COMMANDS_MAX = 500;
const TIMEOUT_MS = 600_000;

/** Runs of 4 to 64 KiB, so many bytes of them in all, anywhere before `spanBytes`. */
export function scattered(seed: number, spanBytes: number, totalBytes: number): Write[] {
  const random = new Seeded(seed);
  const writes: Write[] = [];
  for (let left = totalBytes; left > 0; ) {
    const bytes = 4 * KIB * (1 + random.below(16));
    const at = 4 * KIB * random.below((spanBytes - bytes) / (4 * KIB));
    writes.push({ at, bytes, pattern: 1 + random.below(254) });
    left -= bytes;
  }
  return writes;
}

export function contiguous(at: number, totalBytes: number): Write[] {
  const bytes = 1024 * KIB;
  return Array.from({ length: totalBytes / bytes }, (_, index) => ({
    at: at + index * bytes,
    bytes,
    pattern: 1 + (index % 254),
  }));
}

export async function tool(command: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runTool(command, args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new Error(`${command} ${args.join(' ').slice(0, 200)}: ${stderr.slice(-400)}`);
}

/** Into a file, or what an NBD URI names; flushed at the end. */
export async function writeAll(
  target: string,
  format: 'raw' | 'qcow2',
  writes: readonly Write[],
): Promise<void> {
  for (let from = 0; from < writes.length; from += COMMANDS_MAX) {
    const some = writes.slice(from, from + COMMANDS_MAX);
    const commands = some.flatMap(({ at, bytes, pattern }) => ['-c', `write -P ${pattern} ${at} ${bytes}`]);
    await tool('qemu-io', '-f', format, ...commands, '-c', 'flush', target);
  }
}

/** Seconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
