// How the CLI writes for people: tables, times, amounts. Pure.
import type { Timeline } from '../../../shared/timeline.ts';
import { amountText, MIB } from '../../../shared/units.ts';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map(row => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

export const kibText = (kib: number | null): string => (kib === null ? '–' : amountText(kib));
/** The local time as ISO text. */
const local = (ms: number): string =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().replace('T', ' ');
export const timeText = (ms: number): string => local(ms).slice(0, 16);
/** The time of day with seconds. */
export const clockText = (ms: number): string => local(ms).slice(11, 19);

const WORK_WORDS = {
  reversal: 'turning history round',
  undo: 'turning back',
  merge: 'merging a deleted point',
  checksum: 'recording checksums',
  compact: 'giving space back',
} as const satisfies Record<NonNullable<Timeline['settle']['work']>['kind'], string>;

export function settleText({ state, work, isPaused, isHeld }: Timeline['settle']): string {
  const isWaiting = state === 'paused' && isHeld && !isPaused;
  const word = isWaiting ? 'waits for the charger, the battery is low' : state;
  if (work === null) return state === 'rest' && isPaused ? 'paused, nothing to do now' : word;
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  return `${word}, ${WORK_WORDS[work.kind]}: ${mib(work.bytesDone)} of ${mib(work.bytesTotal)} MiB`;
}
