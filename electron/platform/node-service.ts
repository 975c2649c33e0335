// Starts one of our services as a plain Node process that outlives its starter, its output going to a log file.
// argv only, never a shell (DESIGN §8).
import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LOG_BYTES_MAX, LOG_FILE_VARIABLE, shiftLogs } from './log.ts';
import { nodeProgram, type Spawned, whenSpawned } from './process.ts';

/** A disk is asked several things at a time, and a sync must not wait for them; a thread that sleeps costs next to nothing. */
const POOL_THREADS = '40';

/** V8 would let what is made and forgotten at once grow to 48 MiB before it looks, and glibc keep a heap for every thread. */
const FRUGAL = ['--max-semi-space-size=1'];

export interface NodeService {
  readonly module: URL;
  /** Another Node than the one this runs on. */
  readonly program?: string;
  readonly args: readonly string[];
  /** More of V8's. */
  readonly flags?: readonly string[];
  readonly logPath: string;
}

/** Resolves once the process exists; whether it serves is for the caller to see. */
export function spawnNodeService({
  module,
  program = nodeProgram(),
  args,
  flags = [],
  logPath,
}: NodeService): Promise<Spawned> {
  if ((statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) {
    shiftLogs(logPath, () => renameSync(logPath, `${logPath}.1`));
  }
  // Appended: after a crash the log of the life before is what tells why.
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(program, [...FRUGAL, ...flags, fileURLToPath(module), ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: {
      UV_THREADPOOL_SIZE: POOL_THREADS,
      MALLOC_ARENA_MAX: '1',
      ...process.env,
      [LOG_FILE_VARIABLE]: logPath,
    },
  });
  closeSync(log);
  return whenSpawned(child);
}

export const startNodeService = async (service: NodeService): Promise<number> =>
  (await spawnNodeService(service)).pid;
