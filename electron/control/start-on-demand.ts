// Finds the control service of a data folder or starts it, detached, and waits until it answers. Used by
// every shell. Ends it only to put a newer one in its place: VMs outlive windows.

import { pathToFileURL } from 'node:url';
import type { SessionId } from '../../shared/access.ts';
import { plainLogLine } from '../../shared/log.ts';
import { Fault } from '../../shared/result.ts';
import { connectClient } from '../../shared/rpc/client.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { LONG_KINDS } from '../../shared/task.ts';
import { pause, systemClock } from '../platform/clock.ts';
import { readText } from '../platform/json-file.ts';
import { lockHolder, readLock } from '../platform/lock-owner.ts';
import { spawnNodeService } from '../platform/node-service.ts';
import { type EbbPaths, ebbPaths, makeFolders } from '../platform/paths.ts';
import {
  controlIn,
  installRuntime,
  nodeIn,
  packedRuntime,
  type Runtime,
  removeOlderRuntimes,
} from '../platform/runtime.ts';
import { isOlder } from '../platform/version.ts';
import { connectUnix, type SocketChannel } from '../transport/unix-socket.ts';
import { endOlder } from './end-older.ts';

/** A cold start takes about a second; adopting many VMs on a slow disk takes longer. */
const DEADLINE_MS = 30_000;
const POLL_MS = 50;
/** Our child ends where another shell's was faster: that one gets this long to answer, then we try again. */
const LOST_RACE_MS = 2_000;
const TRIES = 3;
const LOG_TAIL_CHARS = 500;

/** From source this file lies beside main.ts; in a bundle it is inside shells/<shell>/main.js. */
const mainModule = import.meta.url.endsWith('.ts')
  ? new URL('./main.ts', import.meta.url)
  : new URL('../../control/main.js', import.meta.url);

/** A package's services run from their copy in the data folder. */
async function programs(dataFolder: string): Promise<Programs> {
  const packed = packedRuntime();
  if (packed === null) return { module: mainModule };
  const runtime = await installRuntime(packed, dataFolder);
  return { module: pathToFileURL(controlIn(runtime)), program: nodeIn(runtime), runtime };
}

interface Programs {
  readonly module: URL;
  readonly program?: string;
  readonly runtime?: Runtime;
}

/** Throws Fault rpc.unavailable where no living control answers. */
async function connectLiving(paths: EbbPaths, path: string): Promise<SocketChannel> {
  const channel = await connectUnix(path);
  // A process that was killed accepts connections until its last thread has ended, and never answers.
  if (lockHolder(paths.controlLock) !== null) return channel;
  channel.close();
  throw new Fault({
    code: 'rpc.unavailable',
    what: 'The Ebb service has ended.',
    safe: 'VMs keep running without it.',
    todo: 'Start Ebb.',
  });
}

const tryConnect = (paths: EbbPaths, path: string): Promise<SocketChannel | null> =>
  connectLiving(paths, path).catch((error: unknown) => {
    if (error instanceof Fault && error.body.code === 'rpc.unavailable') return null;
    throw error;
  });

/** A channel, or in words why there is none. */
async function startOnce(paths: EbbPaths): Promise<SocketChannel | string> {
  const args = ['--data', paths.dataFolder];
  const { runtime, ...program } = await programs(paths.dataFolder);
  // Control plans once a second for tens of VMs: 3 MiB less are worth more than 10,000 planned in half the
  // time.
  const flags = ['--optimize-for-size'];
  const { exited } = await spawnNodeService({ ...program, args, flags, logPath: paths.controlLog });
  let deadlineMs = systemClock.monotonicMs() + DEADLINE_MS;
  let ended = `It did not answer within ${DEADLINE_MS / 1000} s.`;
  void exited.then(code => {
    ended = `It ended with code ${code ?? 'of a signal'}.`;
    deadlineMs = Math.min(deadlineMs, systemClock.monotonicMs() + LOST_RACE_MS);
  });
  while (systemClock.monotonicMs() < deadlineMs) {
    const channel = await tryConnect(paths, paths.controlSocket);
    if (channel !== null) {
      // Control answers only once storage is of its own version: nothing runs from an older runtime then.
      if (runtime !== undefined) removeOlderRuntimes(runtime);
      return channel;
    }
    await pause(POLL_MS);
  }
  return ended;
}

async function start(paths: EbbPaths): Promise<SocketChannel> {
  let ended = '';
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const result = await startOnce(paths);
    if (typeof result !== 'string') return result;
    ended = result;
  }
  throw new Fault({
    code: 'rpc.unavailable',
    what: `The Ebb service did not start. ${ended} ${lastLines(readText(paths.controlLog))}`,
    safe: 'VMs that run keep running; nothing was changed.',
    todo: `Read ${paths.controlLog}, then try again.`,
  });
}

/** Whole lines from the end of a log. */
function lastLines(log: string): string {
  const lines = log.trim().split('\n').map(plainLogLine);
  let text = '';
  while (lines.length > 0 && text.length < LOG_TAIL_CHARS) text = `${lines.pop()}\n${text}`;
  return text.trim();
}

/** Resolves with an open channel to control's local socket, and where everything lies. */
export async function ensureControl(
  dataFolder: string,
): Promise<{ readonly paths: EbbPaths; readonly channel: SocketChannel }> {
  const paths = ebbPaths(dataFolder);
  makeFolders(paths);
  const running = await tryConnect(paths, paths.controlSocket);
  if (running !== null && !(await makesWay(paths, running))) return { paths, channel: running };
  return { paths, channel: await start(paths) };
}

/** Long tasks go on with the next control; but control is not replaced in the middle of a short one. */
async function isBusy(paths: EbbPaths): Promise<boolean> {
  const client = connectClient(contract, await connectLiving(paths, paths.controlSocket));
  try {
    await client.ready;
    const { tasks } = await client.call('task.list', {});
    return tasks.some(({ state, kind }) => state === 'running' && !LONG_KINDS.has(kind));
  } catch (cause) {
    // A control that does not understand us any more is of no use to anybody: it may be replaced.
    if (cause instanceof Fault && cause.body.code === 'rpc.version-mismatch') return false;
    throw cause;
  } finally {
    client.close();
  }
}

/** Control makes way only for a package: an Ebb run from source must not take the VMs of an installed one. */
async function makesWay(paths: EbbPaths, running: SocketChannel): Promise<boolean> {
  const packed = packedRuntime();
  const version = lockHolder(paths.controlLock)?.version ?? '';
  if (packed === null || !isOlder(version, packed.version) || (await isBusy(paths))) return false;
  running.close();
  await endOlder(paths.controlLock, line => console.error(line), packed.version);
  return true;
}

/** A channel to a control that runs already, else null: starts nothing and makes no folder. */
export const connectRunning = (dataFolder: string): Promise<SocketChannel | null> => {
  const paths = ebbPaths(dataFolder);
  return tryConnect(paths, paths.controlSocket);
};

/**
 * For a shell that stays: a socket to a control that was reached before. Starts it again after a crash, never after
 * a wanted quit, which removes the lock.
 */
export async function rejoinControl(paths: EbbPaths, as: 'local' | 'window'): Promise<SocketChannel> {
  return rejoin(paths, as === 'local' ? paths.controlSocket : paths.windowSocket);
}

export interface Introduction {
  readonly session: SessionId;
  /** Where the browser is. */
  readonly address: string;
}

/** Joins as a browser that signed in. The channel closes where control knows no such session. */
export async function joinAsBrowser(paths: EbbPaths, who: Introduction): Promise<SocketChannel> {
  const channel = await rejoin(paths, paths.browserSocket);
  channel.send(JSON.stringify(who));
  return channel;
}

async function rejoin(paths: EbbPaths, path: string): Promise<SocketChannel> {
  const found = await tryConnect(paths, path);
  if (found !== null) return found;
  if (readLock(paths.controlLock) !== null) (await ensureControl(paths.dataFolder)).channel.close();
  return connectLiving(paths, path);
}
