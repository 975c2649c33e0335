// Runs the process of ours that reads foreign VHDs (storage/vhd/main.ts): asks it what an image is, and lets
// it serve the content while qemu-img copies it. Control itself never parses an image (DESIGN §8).
import * as z from 'zod';
import { errorBodySchema } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import type { ChosenFile } from '../files.ts';
import { runLong } from '../qemu-img.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { type Found, type ImportPorts, jsonOf, unreadable } from './import-ports.ts';

const LOOK_TIMEOUT_MS = 30_000;
const SERVE_TIMEOUT_MS = 12 * 3_600_000;
const HEAP_MIB = 256;

const imageSchema = z.object({
  name: z.string(),
  uuid: z.string(),
  parentUuid: z.string().nullable(),
  /** The bytes that the host has allocated to its file. */
  givenBytes: z.int().min(0),
});
const foundSchema = z.object({
  virtualBytes: z.int().min(1),
  /** The size of a disk of ours that holds the image (T12). */
  exactBytes: z.int().min(1),
  dataBytes: z.int().min(0),
  /** The image itself first, then its parents. */
  chain: z.array(imageSchema).min(1),
  /** What the image that is pushed holds itself; null: none is pushed. */
  ownBytes: z.int().min(0).nullable(),
});
const readerSchema = z.union([z.object({ fault: errorBodySchema }), foundSchema]);
export type FoundVhd = z.infer<typeof foundSchema>;
const pushedSchema = z.object({ pushedBytes: z.int().min(0) });

const readerCommand = (
  file: ChosenFile,
  ports: ImportPorts,
  ...more: string[]
): [command: string, args: readonly string[]] => [
  ports.node(),
  [`--max-old-space-size=${HEAP_MIB}`, ports.vhdReader(), '--file', file.path, ...more],
];

function readerAnswer(file: ChosenFile, stdout: string): FoundVhd {
  const line = stdout.split('\n')[0] ?? '';
  const answer = readerSchema.safeParse(jsonOf(line));
  if (!answer.success) throw unreadable(file);
  if ('fault' in answer.data) throw new Fault(answer.data.fault);
  return answer.data;
}

export async function examineVhd(file: ChosenFile, ports: ImportPorts): Promise<Found> {
  const { virtualBytes, dataBytes, chain } = await lookAtVhd(file, ports);
  return { virtualBytes, dataBytes, uuid: chain[0]?.uuid ?? '' };
}

/** What an image is, with its parents beside it; `--alone`: without. Faults: vhd.*, import.bad-format. */
export async function lookAtVhd(
  file: ChosenFile,
  ports: ImportPorts,
  ...more: readonly '--alone'[]
): Promise<FoundVhd> {
  const [command, args] = readerCommand(file, ports, ...more);
  const { stdout } = await ports.runTool(command, args, { timeoutMs: LOOK_TIMEOUT_MS });
  return readerAnswer(file, stdout);
}

/** The image at this place of its chain (0: the file itself), or the file alone. */
export type WhichImage = { readonly alone: true } | { readonly image: number };

/** Writes what the image itself holds into the export, durably. Faults: the reader's, disk.full, disk.io. */
export async function pushVhd(
  file: ChosenFile,
  which: WhichImage,
  to: { readonly socketPath: string; readonly exportName: string },
  ports: ImportPorts,
  doing: string,
  run: TaskRun,
): Promise<void> {
  const chosen = 'alone' in which ? ['--alone'] : ['--image', String(which.image)];
  const target = ['--push', to.socketPath, '--export', to.exportName];
  let [total, seen] = [0, ''];
  const onOutput = (text: string): void => {
    const lines = (seen + text).split('\n');
    seen = lines.pop() ?? '';
    for (const line of lines) {
      const document = jsonOf(line);
      const found = foundSchema.safeParse(document);
      const told = pushedSchema.safeParse(document);
      if (found.success) total = found.data.ownBytes ?? 0;
      if (told.success) run.step(doing, { done: told.data.pushedBytes, total });
    }
  };
  const command = readerCommand(file, ports, ...chosen, ...target);
  const { code, stdout } = await runLong(command, ports, run, { timeoutMs: SERVE_TIMEOUT_MS, onOutput });
  if (code === 0) return;
  for (const line of stdout.split('\n')) readerAnswerOf(line);
  throw unreadable(file);
}

/** Throws the fault that is in a line of the reader's. */
function readerAnswerOf(line: string): void {
  const answer = readerSchema.safeParse(jsonOf(line));
  if (answer.success && 'fault' in answer.data) throw new Fault(answer.data.fault);
}

/** Our image of a point gets the point's UUID (T1). */
export async function stampVhd(
  path: string,
  uuid: string,
  ports: Pick<ImportPorts, 'node' | 'vhdReader' | 'runTool'>,
): Promise<void> {
  const args = [ports.vhdReader(), '--file', path, '--stamp', uuid];
  const { code, stdout, stderr } = await ports.runTool(ports.node(), args, { timeoutMs: LOOK_TIMEOUT_MS });
  if (code === 0) return;
  for (const line of stdout.split('\n')) readerAnswerOf(line);
  throw new Fault({
    code: 'disk.io',
    what: `The image could not be given the UUID of its point: ${stderr.slice(0, 400)}`,
    safe: 'Nothing was written under the name you chose; the point is as it was.',
    todo: 'Try again.',
  });
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
