// The control service: `node main.ts --data DIR [--policy DIR]`. One per data folder, by a lock; detached
// from whoever started it. However it ends, its end ends no VM.
import { parseArgs } from 'node:util';
import { stackOf } from '../../shared/result.ts';
import { takeLock } from '../platform/lock.ts';
import { openLog } from '../platform/log.ts';
import { defaultDataFolder, ebbPaths, makeFolders } from '../platform/paths.ts';
import { listenUnix } from '../transport/unix-socket.ts';
import { composeControl } from './compose/compose.ts';

const log = openLog({ part: 'control' });

// Sockets, databases and disks are the user's alone; QEMU inherits this.
process.umask(0o077);
const { values } = parseArgs({ options: { data: { type: 'string' }, policy: { type: 'string' } } });
const paths = ebbPaths(values.data ?? defaultDataFolder());
makeFolders(paths);
const lock = takeLock(paths.controlLock);
if (!lock.ok) {
  log(`another control service (pid ${lock.owner.pid}) serves ${paths.dataFolder}`);
  process.exit(3);
}

const end = (code: number): never => {
  lock.release();
  process.exit(code);
};
// What fails in the background, and nobody waited for, must not take the memory manager from running VMs.
process.on('unhandledRejection', cause => log(`incident in the background: ${stackOf(cause)}`, 'error'));
const control = composeControl({
  paths,
  log,
  pid: process.pid,
  policyFolder: values.policy,
  exit: () => end(0),
});
await control.begin();
await listenUnix(paths.windowSocket, channel => control.serve(channel, 'window'));
await listenUnix(paths.browserSocket, channel => control.serve(channel, 'browser'));
// This socket comes last: a shell that started control takes an answer here to mean that all sockets listen.
await listenUnix(paths.controlSocket, channel => control.serve(channel, 'local'));
log(`serving ${paths.controlSocket}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    log(`${signal}: leaving; VMs run on`);
    control.dispose();
    end(0);
  });
}
// Control is detached: it outlives the terminal of whoever started it.
process.on('SIGHUP', () => undefined);
