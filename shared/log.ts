// The form of a log line: JSON for programs, with a text for people. Pure.
import * as z from 'zod';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Given to every part of the services to tell what happened; the default level is `info`. */
export type Log = (text: string, level?: LogLevel) => void;

const recordSchema = z.object({
  at: z.iso.datetime(),
  level: z.enum(LOG_LEVELS),
  part: z.string(),
  pid: z.int(),
  text: z.string(),
});
export type LogRecord = z.infer<typeof recordSchema>;

/** A stack trace is a few thousand characters; text from an untrusted sender could be of any length. */
export const LOG_TEXT_MAX = 8000;

export const logLine = (record: LogRecord): string =>
  JSON.stringify({
    ...record,
    text: record.text.length > LOG_TEXT_MAX ? `${record.text.slice(0, LOG_TEXT_MAX)}…` : record.text,
  });

/** Null: the runtime itself wrote the line, or an older version of Ebb did. */
export function parseLogLine(line: string): LogRecord | null {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** The line as people read it; a line that is no record comes back as it is. */
export function plainLogLine(line: string): string {
  const record = parseLogLine(line);
  if (record === null) return line;
  const { at, level, part, pid, text } = record;
  return `${at} ${part}[${pid}] ${level === 'info' ? '' : `${level}: `}${text}`;
}

export const isLoud = (level: LogLevel, least: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);

/** The level an environment variable names; any other word is `info`. */
export const levelOf = (word: string | undefined): LogLevel =>
  LOG_LEVELS.find(level => level === word) ?? 'info';
