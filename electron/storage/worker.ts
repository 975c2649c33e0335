// The thread of one VM: joins engine, exports and rpc. A bug ends the thread with its stack; the main process
// logs it and starts another, which recovers as after any death of storage (T11).
import * as z from 'zod';
import { vmIdSchema } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import { stackOf } from '../../shared/result.ts';
import { serve } from '../../shared/rpc/server.ts';
import { Topics } from '../../shared/rpc/topics.ts';
import { listenUnix, nextTurn } from '../platform/byte-stream.ts';
import { systemClock } from '../platform/clock.ts';
import { openFolder } from '../platform/folder.ts';
import { openLog } from '../platform/log.ts';
import { reflink } from '../platform/reflink.ts';
import { threadSelf } from '../platform/worker-thread.ts';
import { portChannel } from '../transport/message-port.ts';
import { storageContract } from './contract.ts';
import { openVmFolder } from './disk/open-folder.ts';
import { rescueFolder } from './disk/rescue-folder.ts';
import { Exports } from './exports.ts';
import { PointReaders } from './point-readers.ts';
import { createVmService } from './vm-service.ts';

const self = threadSelf();
const { vmId, pid, version } = z
  .object({ vmId: vmIdSchema, pid: z.int(), version: z.string() })
  .parse(self.data);

const processLog = openLog({ part: 'storage' });
const log: Log = (text, level) => processLog(`vm ${vmId}: ${text}`, level);
const onBug = (error: unknown): never => {
  throw error;
};
const turn = (): Promise<void> => new Promise(nextTurn);

const topics = new Topics(storageContract);
const serving = { listen: listenUnix, clock: systemClock, nextTurn, log, onBug };
const exports = new Exports(serving);
const handlers = createVmService({
  vmId,
  openEngine: folder => openVmFolder(vmId, folder, { turn }),
  rescue: rescueFolder,
  exports,
  readers: new PointReaders(serving),
  outside: { openFolder, reflink },
  topics,
  clock: systemClock,
  pid,
  version,
});
serve({
  table: storageContract,
  handlers,
  topics,
  channel: portChannel(self.port),
  kind: 'local',
  onBug: (incident, error) => log(`incident ${incident}: ${stackOf(error)}`, 'error'),
});
