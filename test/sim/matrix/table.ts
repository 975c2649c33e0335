// The matrix as a table: per operation how many calls it has, and how many runs met each fate. Pure.
import { FATES } from '../programs/calls.ts';
import type { ScenarioResult } from './run.ts';

const COLUMNS = ['calls', ...FATES, 'again', 'wrong'] as const;

export function tableOf(results: readonly ScenarioResult[]): string {
  const rows = results.map(({ name, steps, runs, violations }) => [
    name,
    ...COLUMNS.map(column =>
      String(column === 'calls' ? steps.length : column === 'wrong' ? violations.length : runs[column]),
    ),
  ]);
  const all = [['operation', ...COLUMNS], ...rows];
  const widths = all[0]?.map((_, index) => Math.max(...all.map(row => row[index]?.length ?? 0))) ?? [];
  return all
    .map(row =>
      row
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
