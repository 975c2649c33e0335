// The log of a process: lines onto a file descriptor, which the runtime's own last words go to as well. A file of ours is
// bounded: it is copied away and emptied in place, since the descriptor stays the same for as long as the process lives.
import {
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { isLoud, type Log, type LogLevel, levelOf, logLine } from '../../shared/log.ts';
import { systemClock } from './clock.ts';

export const LOG_BYTES_MAX = 1024 * 1024;
/** Besides the one that is written: five times LOG_BYTES_MAX in all. */
export const LOG_FILES_KEPT = 4;
const STANDARD_ERROR = 2;

/** Tells a service which file its standard error is. */
export const LOG_FILE_VARIABLE = 'EBB_LOG_FILE';

export interface LogOptions {
  /** control, storage … */
  readonly part: string;
  readonly fd?: number;
  /** Where that is a file of ours; null: a terminal, or somebody else's, which grows as they like. */
  readonly path?: string | null;
  readonly least?: LogLevel;
  readonly bytesMax?: number;
}

/** Nobody is kept from working by a log that cannot be written: how many lines were lost stands before the next. */
export function openLog(options: LogOptions): Log {
  const { part, fd = STANDARD_ERROR, bytesMax = LOG_BYTES_MAX } = options;
  const { path = process.env[LOG_FILE_VARIABLE] ?? null, least = levelOf(process.env.EBB_LOG) } = options;
  let lost = 0;
  let isTorn = false;
  const lineOf = (text: string, level: LogLevel): string => {
    const at = new Date(systemClock.wallMs()).toISOString();
    return `${logLine({ at, level, part, pid: process.pid, text })}\n`;
  };
  const put = (line: string): void => {
    const bytes = Buffer.from(isTorn ? `\n${line}` : line);
    const written = writeSync(fd, bytes);
    // A disk that is nearly full takes a piece.
    isTorn = written < bytes.length;
    if (isTorn) throw new Error('the disk is full');
  };
  return (text, level = 'info') => {
    if (!isLoud(level, least)) return;
    try {
      if (path !== null) bound(fd, path, bytesMax);
      if (lost > 0) put(lineOf(`${lost} lines could not be written`, 'warn'));
      lost = 0;
      put(lineOf(text, level));
    } catch {
      lost++;
    }
  };
}

/** For a process that was started by a person: its own file, not their terminal. Null: it cannot be written. */
export function openLogFile(part: string, path: string): Log | null {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return openLog({ part, path, fd: openSync(path, flags, 0o600) });
  } catch {
    return null;
  }
}

function bound(fd: number, path: string, bytesMax: number): void {
  const ours = fstatSync(fd);
  if (!ours.isFile() || ours.size < bytesMax) return;
  const named = statSync(path, { throwIfNoEntry: false });
  if (named?.ino !== ours.ino || named.dev !== ours.dev) return;
  shiftLogs(path, () => {
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, `${path}.1`);
  });
  ftruncateSync(fd, 0);
}

/** `path`.1 becomes .2 and so on, the last one goes; then `makeFirst`. */
export function shiftLogs(path: string, makeFirst: () => void): void {
  rmSync(`${path}.${LOG_FILES_KEPT}`, { force: true });
  for (let n = LOG_FILES_KEPT - 1; n >= 1; n--)
    if (statSync(`${path}.${n}`, { throwIfNoEntry: false }) !== undefined)
      renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  makeFirst();
}
