// Where Ebb keeps things. The run folder follows from the data folder alone, never from the session's environment:
// a shell started over ssh must find the control service a desktop session started.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault, messageOf } from '../../shared/result.ts';
import { hostCode } from './host-fault.ts';

/** A socket path holds 107 bytes, and VM sockets add a folder named by a UUID and a file name. */
const RUN_FOLDER_LENGTH_MAX = 50;

export interface EbbPaths {
  readonly dataFolder: string;
  /** 0700: sockets and what lives no longer than the session. */
  readonly runFolder: string;
  readonly controlLock: string;
  readonly controlLog: string;
  /** Local callers: CLI and desktop shell. */
  readonly controlSocket: string;
  /** The desktop's window. */
  readonly windowSocket: string;
  /** Callers that came through the browser gateway, each with its session (DESIGN §8). */
  readonly browserSocket: string;
  readonly storageSocket: string;
  readonly storageLog: string;
  readonly headlessLog: string;
  readonly uploadFolder: string;
  /** The gateway's certificate and its key. */
  readonly tlsFolder: string;
}

export function defaultDataFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.EBB_DATA) return resolve(env.EBB_DATA);
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'ebb');
}

function runFolderOf(dataFolder: string): string {
  const inside = join(dataFolder, 'run');
  if (Buffer.byteLength(inside) <= RUN_FOLDER_LENGTH_MAX) return inside;
  const hash = createHash('sha256').update(dataFolder).digest('hex').slice(0, 12);
  return join(tmpdir(), `ebb-${userInfo().uid}-${hash}`);
}

export function ebbPaths(dataFolder: string): EbbPaths {
  const data = resolve(dataFolder);
  const run = runFolderOf(data);
  return {
    dataFolder: data,
    runFolder: run,
    controlLock: join(data, 'control.lock'),
    controlLog: join(data, 'control.log'),
    controlSocket: join(run, 'control.sock'),
    windowSocket: join(run, 'window.sock'),
    browserSocket: join(run, 'browser.sock'),
    storageSocket: join(run, 'storage.sock'),
    storageLog: join(data, 'storage.log'),
    headlessLog: join(data, 'headless.log'),
    uploadFolder: join(data, 'uploads'),
    tlsFolder: join(data, 'tls'),
  };
}

export const hostName = (): string => hostname();

/** The account that Ebb runs under. */
export const userName = (): string => userInfo().username.slice(0, 100);

/** Makes data and run folder, 0700. Throws Fault host.permission if the run folder is somebody else's. */
export function makeFolders(paths: EbbPaths): void {
  for (const folder of [paths.dataFolder, paths.runFolder]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw cannotMake(folder, cause);
    }
  }
  if (process.platform === 'win32') return;
  const stat = lstatSync(paths.runFolder);
  // In a shared temporary folder anyone may have made that name first.
  if (stat.isDirectory() && stat.uid === userInfo().uid && (stat.mode & 0o077) === 0) return;
  throw new Fault({
    code: 'host.permission',
    what: `The folder ${paths.runFolder} for Ebb's sockets is open to others or is not yours.`,
    safe: 'Nothing was started.',
    todo: `Remove it, or close it with: chmod 700 ${paths.runFolder}`,
  });
}

function cannotMake(folder: string, cause: unknown): Fault {
  const isFull = hostCode(cause) === 'disk.full';
  return new Fault(
    {
      code: isFull ? 'disk.full' : 'host.permission',
      what: `The folder ${folder} cannot be made: ${messageOf(cause)}.`,
      safe: 'Nothing was started.',
      todo: `${isFull ? 'Free some space' : 'Make it writable for you'}, or choose another data folder with EBB_DATA.`,
    },
    cause,
  );
}
