// Time zones whose clocks are set, by their rules.
import type { Zone } from '../../electron/control/history/calendar.ts';

const HOUR_MS = 3_600_000;

function lastSundayOf(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0));
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay());
}

const summers = new Map<number, readonly [number, number]>();
function summerOf(year: number): readonly [number, number] {
  const known = summers.get(year) ?? [lastSundayOf(year, 2) + HOUR_MS, lastSundayOf(year, 9) + HOUR_MS];
  summers.set(year, known);
  return known;
}

/** Central Europe: 02:00 becomes 03:00 on the last Sunday of March, 03:00 becomes 02:00 on that of October. */
export const berlin: Zone = at => {
  const [from, to] = summerOf(new Date(at).getUTCFullYear());
  return at >= from && at < to ? 2 * HOUR_MS : HOUR_MS;
};

/** Half an hour, between 10.5 and 11 hours: as on Lord Howe Island, on these days of any year. */
export const halfHour: Zone = at => {
  const month = new Date(at).getUTCMonth();
  return month >= 3 && month < 9 ? 10.5 * HOUR_MS : 11 * HOUR_MS;
};

/** What the wall clock shows, "2026-03-29 03:30". */
export const shown = (at: number, zone: Zone): string =>
  new Date(at + zone(at)).toISOString().slice(0, 16).replace('T', ' ');
