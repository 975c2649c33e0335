// The storage process: `node main.ts --socket PATH`. Listens on a private socket, one worker thread per VM.
// Outlives control; ends on storage.quit or SIGTERM, with every VM closed cleanly.
import { parseArgs } from 'node:util';
import type { VmId } from '../../shared/ids.ts';
import { stackOf } from '../../shared/result.ts';
import { connectClient } from '../../shared/rpc/client.ts';
import { serve } from '../../shared/rpc/server.ts';
import { Topics } from '../../shared/rpc/topics.ts';
import { nextTurn } from '../platform/byte-stream.ts';
import { systemClock } from '../platform/clock.ts';
import { takeLock } from '../platform/lock.ts';
import { openLog } from '../platform/log.ts';
import { EBB_VERSION } from '../platform/version.ts';
import { siblingModule, startThread } from '../platform/worker-thread.ts';
import { portChannel } from '../transport/message-port.ts';
import { listenUnix } from '../transport/unix-socket.ts';
import { storageContract } from './contract.ts';
import { createStorageService } from './service.ts';
import type { WorkerLink } from './vm-host.ts';

// Sockets, databases and disks are for the user alone; QEMU inherits this umask.
process.umask(0o077);
const { values } = parseArgs({ options: { socket: { type: 'string' } } });
const socketPath = values.socket;
const log = openLog({ part: 'storage' });

function startWorker(vmId: VmId): WorkerLink {
  const thread = startThread(siblingModule(import.meta.url, 'worker'), {
    vmId,
    pid: process.pid,
    version: EBB_VERSION,
  });
  const client = connectClient(storageContract, portChannel(thread.port));
  return { client, onExit: thread.onExit, terminate: thread.terminate };
}

async function main(path: string): Promise<void> {
  // A second storage would take the socket away from the first, which still serves guests.
  const lock = takeLock(`${path}.lock`);
  if (!lock.ok) {
    log(`process ${lock.owner.pid} serves ${path} already`);
    process.exit(3);
  }
  const topics = new Topics(storageContract);
  const service = createStorageService({
    pid: process.pid,
    version: EBB_VERSION,
    startWorker,
    topics,
    clock: systemClock,
    log,
    quit: () => nextTurn(() => process.exit(0)),
  });
  await listenUnix(path, channel =>
    serve({
      table: storageContract,
      handlers: service.handlers,
      topics,
      channel,
      kind: 'local',
      onBug: (incident, error) => log(`incident ${incident}: ${stackOf(error)}`, 'error'),
    }),
  );
  let isEnding = false;
  const end = (signal: string): void => {
    if (isEnding) return;
    isEnding = true;
    log(`${signal}: closing`);
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log(`closing: ${String(error)}`, 'error');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  // SIGHUP comes from the starter's terminal; storage is detached and goes on.
  process.on('SIGHUP', () => undefined);
  log(`serving ${path}`);
}

if (socketPath === undefined) {
  console.error('usage: main --socket PATH');
  process.exit(2);
}
await main(socketPath);
