// The log of a process: lines written to a file descriptor, to which the runtime writes its own last words as
// well. A log file of ours is bounded: it is copied away and emptied in place, since the process keeps its
// descriptor for life.
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
/** Old log files kept besides the current one: five times LOG_BYTES_MAX in all. */
export const LOG_FILES_KEPT = 4;
const STANDARD_ERROR = 2;

/** Tells a service which file its standard error is. */
export const LOG_FILE_VARIABLE = 'EBB_LOG_FILE';

export interface LogOptions {
  /** control, storage … */
  readonly part: string;
  readonly fd?: number;
  /** The path of a log file of ours, which is bounded; null: `fd` is a terminal or somebody else's file. */
  readonly path?: string | null;
  readonly least?: LogLevel;
  readonly bytesMax?: number;
}

/** Never throws: a log that cannot be written must not stop work. Lost lines are counted, and told next. */
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
    // A nearly full disk takes only a part of the line.
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

/** A log file for a process that a person started, to spare their terminal. Null: it cannot be written. */
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

/** Renames `path`.1 to .2 and so on, removes the last one, then calls `makeFirst` to make .1. */
export function shiftLogs(path: string, makeFirst: () => void): void {
  rmSync(`${path}.${LOG_FILES_KEPT}`, { force: true });
  for (let n = LOG_FILES_KEPT - 1; n >= 1; n--)
    if (statSync(`${path}.${n}`, { throwIfNoEntry: false }) !== undefined)
      renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  makeFirst();
}
