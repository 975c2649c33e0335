// A line of a log: JSON, so that programs can read it, with the words that people read. Pure.
import * as z from 'zod';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What every part is given to tell what happened; without a level it is `info`. */
export type Log = (text: string, level?: LogLevel) => void;

const recordSchema = z.object({
  at: z.iso.datetime(),
  level: z.enum(LOG_LEVELS),
  part: z.string(),
  pid: z.int(),
  text: z.string(),
});
export type LogRecord = z.infer<typeof recordSchema>;

/** A stack is a few thousand; what a stranger sent may be anything. */
export const LOG_TEXT_MAX = 8000;

export const logLine = (record: LogRecord): string =>
  JSON.stringify({
    ...record,
    text: record.text.length > LOG_TEXT_MAX ? `${record.text.slice(0, LOG_TEXT_MAX)}…` : record.text,
  });

/** Null: what the runtime itself wrote, or a line of an older version. */
export function parseLogLine(line: string): LogRecord | null {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** As people read it. */
export function plainLogLine(line: string): string {
  const record = parseLogLine(line);
  if (record === null) return line;
  const { at, level, part, pid, text } = record;
  return `${at} ${part}[${pid}] ${level === 'info' ? '' : `${level}: `}${text}`;
}

export const isLoud = (level: LogLevel, least: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);

/** Of an environment variable; what it does not know is `info`. */
export const levelOf = (word: string | undefined): LogLevel =>
  LOG_LEVELS.find(level => level === word) ?? 'info';
