// Processes: starting those that outlive us, running tools to their end, and watching and ending those we
// know by pid and start time. argv only, never a shell (DESIGN §8).
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, createWriteStream, openSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hosted, hostFault } from './host-fault.ts';
import { startedAt } from './lock-owner.ts';

export interface ProcessId {
  readonly pid: number;
  /** Tells a reused pid from the process we started. */
  readonly started: string;
}

export interface Spawned {
  readonly pid: number;
  /** Resolves only while the starter lives; null when a signal ended the process. */
  readonly exited: Promise<number | null>;
}
export interface Detached extends Pick<Spawned, 'exited'> {
  readonly id: ProcessId;
}

/** Output goes to files, so that the process does not notice its starter's death. Rejects when it cannot start. */
export function spawnDetached(command: string, args: readonly string[], logPath: string): Promise<Detached> {
  const log = hosted('opening', logPath, () => openSync(logPath, 'w', 0o600));
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  return whenSpawned(child).then(({ pid, exited }) => ({ id: { pid, started: startedAt(pid) }, exited }));
}

/** Resolves when the child runs; it then lives on without us. Rejects when it cannot start. */
export function whenSpawned(child: ChildProcess): Promise<Spawned> {
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve({ pid: child.pid ?? 0, exited });
    });
  });
}

/**
 * Starts a process that must not outlive us: the kernel ends it with its starter, however that ends. Needs
 * setpriv of util-linux; without it the process is only detached.
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  logPath: string,
  signal: 'KILL' | 'TERM' = 'KILL',
): Promise<Detached> {
  const setpriv = findProgram('setpriv');
  if (setpriv === null) return spawnDetached(command, args, logPath);
  return spawnDetached(setpriv, ['--pdeathsig', signal, command, ...args], logPath);
}

export const isAlive = (id: ProcessId): boolean => id.started !== '' && startedAt(id.pid) === id.started;

/** Signals only this very process: one that has reused its pid is left alone. */
export function endProcess(id: ProcessId, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface ToolOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (text: string) => void;
  /**
   * Tells of every pause and its end: a paused tool is stopped, and its time begins anew afterwards. Only
   * where `canStopTools`.
   */
  readonly pauses?: { follow(tell: (isPaused: boolean) => void): () => void } | undefined;
}
const OUTPUT_MAX = 1024 * 1024;

/** Windows cannot stop a process. Elsewhere setpriv ends a stopped tool with us: it would never go on. */
export const canStopTools = (): boolean => process.platform !== 'win32' && findProgram('setpriv') !== null;

/** Runs a tool to its end. Output beyond 1 MiB is dropped; past the deadline it is killed and the code is 124. */
export function runTool(command: string, args: readonly string[], options: ToolOptions): Promise<ToolResult> {
  const [program, ...all] =
    options.pauses === undefined ? [command, ...args] : ['setpriv', '--pdeathsig', 'KILL', command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? command, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    let isLate = false;
    const deadline = (): NodeJS.Timeout =>
      setTimeout(() => {
        isLate = true;
        child.kill('SIGKILL');
      }, options.timeoutMs);
    let timer = deadline();
    const unfollow = options.pauses?.follow(isPaused => {
      child.kill(isPaused ? 'SIGSTOP' : 'SIGCONT');
      clearTimeout(timer);
      if (!isPaused) timer = deadline();
    });
    const abort = (): void => {
      child.kill('SIGTERM');
      // A stopped tool gets the SIGTERM only once it continues.
      if (options.pauses !== undefined) child.kill('SIGCONT');
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted === true) abort();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(0, OUTPUT_MAX);
      options.onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, OUTPUT_MAX);
    });
    child.once('error', reject);
    child.once('close', code => {
      clearTimeout(timer);
      unfollow?.();
      options.signal?.removeEventListener('abort', abort);
      resolve({ code: isLate ? 124 : (code ?? 1), stdout, stderr });
    });
  });
}

export interface FileResult {
  readonly code: number;
  readonly stderr: string;
  readonly bytes: number;
  /** The tool wrote more than `bytesMax`, and was ended. */
  readonly isMore: boolean;
}

/** Runs a tool; its standard output becomes a new, durable file (0600). Rejects if that cannot be written. */
export async function runToFile(
  command: string,
  args: readonly string[],
  { path, bytesMax, timeoutMs, signal }: ToolOptions & { readonly path: string; readonly bytesMax: number },
): Promise<FileResult> {
  const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stop,
    killSignal: 'SIGKILL',
  });
  let [stderr, bytes, isMore] = ['', 0, false];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, OUTPUT_MAX);
  });
  const ended = new Promise<number>(resolve => {
    child.once('error', () => undefined);
    child.once('close', code => resolve(code ?? 1));
  });
  const counted = async function* (source: AsyncIterable<Buffer>) {
    for await (const piece of source) {
      isMore = bytes + piece.length > bytesMax;
      if (isMore) return void child.kill('SIGKILL');
      bytes += piece.length;
      yield piece;
    }
  };
  try {
    await pipeline(child.stdout, counted, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  } catch (cause) {
    child.kill('SIGKILL');
    await ended;
    throw hostFault('writing', path, cause);
  }
  return { code: await ended, stderr, bytes, isMore };
}

/** Runs a program at our terminal to do our work for us, until it or we are ended. Returns its exit code. */
export function runInOurPlace(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' });
  // A terminal signals both processes; any other sender signals only us.
  const pass = (signal: NodeJS.Signals) => (): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? 1));
  });
}

/** The plain Node our services run on; inside Electron its own Node is not that (DESIGN §2). */
export function nodeProgram(): string {
  if (process.versions.electron === undefined) return process.execPath;
  return process.env.EBB_NODE || findProgram('node') || 'node';
}

/** Full path of a program on PATH; null where there is none. A folder of PATH that we may not look into has none. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | null {
  const candidates = path.split(delimiter).flatMap(folder => (folder === '' ? [] : join(folder, name)));
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
