// Foreign VHDs are read by a process of our own (storage/vhd/main.ts): asked what the image is, and left to serve its
// content while qemu-img copies it. Control itself never parses an image (DESIGN §8).
import * as z from 'zod';
import { errorBodySchema } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import type { ChosenFile } from './files.ts';
import { type Found, type ImportPorts, unreadable } from './import-ports.ts';

const LOOK_TIMEOUT_MS = 30_000;
const SERVE_TIMEOUT_MS = 12 * 3_600_000;
const HEAP_MIB = 256;

const readerSchema = z.union([
  z.object({ fault: errorBodySchema }),
  z.object({ virtualBytes: z.int().min(1), dataBytes: z.int().min(0), chain: z.array(z.string()).min(1) }),
]);

const readerCommand = (
  file: ChosenFile,
  ports: ImportPorts,
  ...more: string[]
): [command: string, args: readonly string[]] => [
  ports.node(),
  [`--max-old-space-size=${HEAP_MIB}`, ports.vhdReader(), '--file', file.path, ...more],
];

function readerAnswer(
  file: ChosenFile,
  stdout: string,
): Exclude<z.infer<typeof readerSchema>, { fault: unknown }> {
  const line = stdout.split('\n')[0] ?? '';
  const answer = readerSchema.safeParse(line.startsWith('{') ? JSON.parse(line) : null);
  if (!answer.success) throw unreadable(file);
  if ('fault' in answer.data) throw new Fault(answer.data.fault);
  return answer.data;
}

export async function examineVhd(file: ChosenFile, ports: ImportPorts): Promise<Found> {
  const [command, args] = readerCommand(file, ports);
  const { stdout } = await ports.runTool(command, args, { timeoutMs: LOOK_TIMEOUT_MS });
  const { virtualBytes, dataBytes } = readerAnswer(file, stdout);
  return { virtualBytes, dataBytes };
}

/** The reader serves the VHD at `socketPath` while `use` runs. */
export async function whileServed(
  file: ChosenFile,
  socketPath: string,
  ports: ImportPorts,
  signal: AbortSignal,
  use: () => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const [command, args] = readerCommand(file, ports, '--socket', socketPath);
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>(resolve => {
    isReady = resolve;
  });
  const running = ports.runTool(command, args, {
    timeoutMs: SERVE_TIMEOUT_MS,
    signal: AbortSignal.any([signal, ended.signal]),
    onOutput: text => {
      if (text.includes('virtualBytes')) isReady();
    },
  });
  const gone = await Promise.race([ready.then(() => null), running]);
  signal.throwIfAborted();
  if (gone !== null) {
    readerAnswer(file, gone.stdout);
    throw unreadable(file);
  }
  try {
    await use();
  } finally {
    ended.abort();
    await running;
  }
}
