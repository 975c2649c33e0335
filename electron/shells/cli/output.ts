// Tables for people. Pure.
import { amountText, KIB } from '../../../shared/units.ts';

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

export const gib = (bytes: number): string => amountText(bytes / KIB);
export const kibText = (kib: number | null): string => (kib === null ? '–' : amountText(kib));
/** As the clock on the wall says it. */
export function timeText(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return local.toISOString().replace('T', ' ').slice(0, 16);
}
