// A task's progress: a bar on a terminal, lines elsewhere. Pure.
import type { Task } from '../../../shared/task.ts';
import { bytesText } from '../../../shared/units.ts';

const BAR_CHARS = 24;
const COLUMNS_LEAST = 20;
/** A narrower terminal shows no bar, only the words. */
const BAR_COLUMNS_LEAST = 70;

/** "copying the disk: 3 MiB of 24 MiB", "paused: …" */
export function stepText({ step, bytesDone, bytesTotal, isPaused }: Task): string {
  const bytes =
    bytesDone === null || bytesTotal === null ? '' : `${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`;
  return [isPaused ? 'paused' : '', step, bytes].filter(Boolean).join(': ');
}

/** One line, no longer than the terminal is wide: a line that wraps cannot be drawn over. */
export function barLine(task: Task, columns: number): string {
  const { title, progress } = task;
  const step = stepText(task);
  const percent = progress === null ? '' : ` ${String(Math.floor(progress * 100)).padStart(3)} %`;
  const filled = Math.round((progress ?? 0) * BAR_CHARS);
  const bar =
    progress === null || columns < BAR_COLUMNS_LEAST
      ? ''
      : ` [${'='.repeat(filled)}${' '.repeat(BAR_CHARS - filled)}]`;
  const line = `${title}${bar}${percent}${step === '' ? '' : `  ${step}`}`;
  const width = Math.max(COLUMNS_LEAST, columns - 1);
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** A line for each step, and for each tenth of a long one; null: the line was written already. */
export function stepLine(task: Task, before: Task | null): string | null {
  const { title, progress, state } = task;
  const step = stepText(task);
  if (step === '' || state !== 'running') return null;
  if (before !== null && stepKey(before) === stepKey(task)) return null;
  return `${title}: ${step}${progress === null ? '' : ` (${Math.floor(progress * 100)} %)`}`;
}

/** Leaves out the amounts in a step's words, which change all the time. */
const stepKey = ({ step, progress, isPaused }: Task): string =>
  `${isPaused} ${step.replace(/[\d.]+ (?:KiB|MiB|GiB)|\d+/g, '#')} ${progress === null ? '' : Math.floor(progress * 10)}`;
