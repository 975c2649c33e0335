// Starts one of our services as a plain Node process that outlives its starter, its output going to a log file.
// argv only, never a shell (DESIGN §8).
import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Rotated once at each start: at most twice this on disk, besides what one run writes. */
const LOG_BYTES_MAX = 1024 * 1024;

export interface NodeService {
  readonly module: URL;
  readonly args: readonly string[];
  readonly logPath: string;
}

/** Resolves with the pid once the process exists; whether it serves is for the caller to see. */
export function startNodeService({ module, args, logPath }: NodeService): Promise<number> {
  if ((statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) {
    renameSync(logPath, `${logPath}.1`);
  }
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(process.execPath, [fileURLToPath(module), ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}
