// Starts one of our services as a plain Node process that outlives its starter, its output going to a log file.
// argv only, never a shell (DESIGN §8).
import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LOG_BYTES_MAX, LOG_FILE_VARIABLE, shiftLogs } from './log.ts';
import { nodeProgram, type Spawned, whenSpawned } from './process.ts';

/** Several disk calls run at a time, and a sync must not wait for them. An idle thread costs little. */
const POOL_THREADS = '40';

/** Else V8 lets short-lived objects grow to 48 MiB. MALLOC_ARENA_MAX, below, keeps glibc to one heap. */
const FRUGAL = ['--max-semi-space-size=1'];

export interface NodeService {
  readonly module: URL;
  /** The Node that runs the service; default: nodeProgram(). */
  readonly program?: string;
  readonly args: readonly string[];
  /** Further flags for V8. */
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
  // Opened to append: after a crash the log of the previous run tells why.
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
