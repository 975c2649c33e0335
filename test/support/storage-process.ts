// A real storage process in a temporary folder, reached as control reaches it. Ends what it started, by pid.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../electron/platform/clock.ts';
import { startNodeService } from '../../electron/platform/node-service.ts';
import { StorageClient } from '../../electron/storage/client.ts';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import { type DiskId, diskIdSchema, type VmId, vmIdSchema } from '../../shared/ids.ts';

const SOURCE = pathToFileURL(join(import.meta.dirname, '../../electron/storage/main.ts'));

export interface StorageFixture extends AsyncDisposable {
  readonly folder: string;
  readonly client: StorageClient;
  /** Every storage process started so far, oldest first. */
  readonly pids: number[];
  vmFolder(vmId: VmId): string;
  exportPath(name: string): string;
  log(): string;
}

export const newVmId = (): VmId => vmIdSchema.parse(randomUUID());
export const newDiskId = (): DiskId => diskIdSchema.parse(randomUUID());

/** `near`: where its folder is; `module`: the sources, or what is shipped. */
export function storageFixture(near = tmpdir(), module = SOURCE): StorageFixture {
  const folder = mkdtempSync(join(near, 'ebb-st-'));
  const socketPath = join(folder, 'storage.sock');
  const logPath = join(folder, 'storage.log');
  const pids: number[] = [];
  const client = new StorageClient({
    connect: () => connectUnix(socketPath),
    spawn: async () => {
      pids.push(await startNodeService({ module, args: ['--socket', socketPath], logPath }));
    },
    clock: systemClock,
    log: () => undefined,
  });
  return {
    folder,
    client,
    pids,
    vmFolder: vmId => {
      const path = join(folder, vmId);
      mkdirSync(join(path, 'disks'), { recursive: true });
      return path;
    },
    exportPath: name => join(folder, `${name}.nbd`),
    log: () => readFileSync(logPath, 'utf8'),
    [Symbol.asyncDispose]: async () => {
      client.dispose();
      for (const pid of pids) end(pid);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** SIGKILL: what a storage death is. */
export function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}
