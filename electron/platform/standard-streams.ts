// The terminal's side of a process: bytes to standard output, lines and keys from standard input, and the
// signals by which a person ends it.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { hostFault } from './host-fault.ts';

/** Resolves when the data has been taken; rejects when nobody reads any more. */
export const writeOut = (data: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(data, cause => (cause === null || cause === undefined ? resolve() : reject(cause)));
  });

/** Resolves at the first interrupt or termination. */
export const interrupted = (): Promise<void> =>
  new Promise(resolve => {
    // A signal listener alone does not keep the process alive; the caller's connection does.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Calls `heard` at every interrupt, which then does not end the process. Returns a function to stop that. */
export function onInterrupt(heard: () => void): () => void {
  process.on('SIGINT', heard);
  return () => {
    process.off('SIGINT', heard);
  };
}

export const isUnread = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'EPIPE';

/** Calls `end` when nobody reads standard output any more: `ebb vm list | head -1`. */
export function onUnread(end: () => void): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (isUnread(cause)) return end();
    throw cause;
  });
}

/** More than any file of lines that Ebb writes. */
const LINES_MAX = 2_000_000;

/** The lines of the file at `path`; null: of standard input. Throws Fault. */
export async function* readLines(path: string | null): AsyncGenerator<string> {
  const input = path === null ? process.stdin : createReadStream(path);
  // readline listens too late to hear that a file is missing.
  const broken = new Promise<never>((_, reject) => {
    input.once('error', (cause: unknown) => reject(hostFault('reading', path ?? 'standard input', cause)));
  });
  broken.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (let count = 0; count < LINES_MAX; count++) {
    const next = await Promise.race([lines.next(), broken]);
    if (next.done === true) return;
    yield next.value;
  }
  throw hostFault('reading', path ?? 'standard input', { code: 'EFBIG' });
}

/** True when a person at a terminal gives the wanted answer; false when there is no terminal. */
export async function askLine(question: string, wanted: RegExp): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>(resolve => {
      lines.once('close', () => resolve(''));
      lines.question(question, resolve);
    });
    return wanted.test(answer.trim());
  } finally {
    lines.close();
  }
}

/**
 * Calls `each` with what is typed, key by key at a terminal; reading goes on only after `each` has taken it.
 * Returns a function that gives the terminal back.
 */
export function typedInput(
  each: (bytes: Buffer) => Promise<void>,
  broken: (cause: unknown) => void,
): () => void {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) stdin.setRawMode(true);
  const heard = (bytes: Buffer): void => {
    stdin.pause();
    each(bytes).then(() => stdin.resume(), broken);
  };
  stdin.on('data', heard);
  stdin.on('error', broken);
  return () => {
    stdin.off('data', heard);
    stdin.pause();
    if (isTerminal) stdin.setRawMode(false);
  };
}
