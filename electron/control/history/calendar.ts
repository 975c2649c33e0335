// When points are due, by the clock on the wall. Pure; the time zone comes from outside. A day of 23 or 25 hours has the same
// times of day as any other: one that the clock jumps over is as much later as it jumps, one that it shows twice is the first,
// but for intervals of an hour and less, which go on at their pace in the hour that comes twice.
import type { Schedule } from '../../../shared/history.ts';

export type Times = Pick<Schedule, 'everyMinutes' | 'atMinute'>;

/** Local time less UTC, in ms, at an instant. */
export type Zone = (atMs: number) => number;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "Local ms": as if the wall clock were UTC; days of it all have 24 hours. */
const localOf = (atMs: number, zone: Zone): number => atMs + zone(atMs);
const dayOf = (localMs: number): number => Math.floor(localMs / DAY_MS);

/** The first instant at which the wall clock shows that time; where it never does, as much later as it jumps. */
export function instantOf(localMs: number, zone: Zone): number {
  const before = zone(localMs - DAY_MS);
  const after = zone(localMs + DAY_MS);
  const shown = [localMs - before, localMs - after].filter(at => at + zone(at) === localMs);
  return shown.length > 0 ? Math.min(...shown) : localMs - before;
}

function slotsOfDay(day: number, { everyMinutes, atMinute }: Times, zone: Zone): number[] {
  const slots: number[] = [];
  for (let minute = atMinute % everyMinutes; minute < 1440; minute += everyMinutes)
    slots.push(instantOf(day * DAY_MS + minute * MINUTE_MS, zone));
  return slots;
}

/** From the day before an instant to the day after it, in order, each once. */
function slotsAround(atMs: number, times: Times, zone: Zone): number[] {
  const day = dayOf(localOf(atMs, zone));
  const days = [-1, 0, 1].flatMap(offset => slotsOfDay(day + offset, times, zone));
  const slots = [...new Set(days)].sort((a, b) => a - b);
  const everyMs = times.everyMinutes * MINUTE_MS;
  if (everyMs > HOUR_MS) return slots;
  return slots.flatMap((slot, index) => {
    const filled = [slot];
    const next = slots[index + 1] ?? slot;
    for (let at = slot + everyMs; at < next; at += everyMs) filled.push(at);
    return filled;
  });
}

/** The newest that is not in the future. */
export function latestSlot(times: Times, nowMs: number, zone: Zone): number {
  return slotsAround(nowMs, times, zone).findLast(slot => slot <= nowMs) ?? nowMs;
}

export function nextSlots(times: Times, nowMs: number, zone: Zone, count: number): number[] {
  const found: number[] = [];
  // The longest from one to the next is a day of a few hours more.
  for (let at = nowMs; found.length < count; at = found.at(-1) ?? at)
    found.push(...slotsAround(at, times, zone).filter(slot => slot > at && slot <= at + 1.5 * DAY_MS));
  return found.slice(0, count);
}

/** Which local day, week (from Monday) and month an instant falls in. */
export function dayKey(atMs: number, zone: Zone): number {
  return dayOf(localOf(atMs, zone));
}
/** Day 0 was a Thursday. */
export const weekKey = (atMs: number, zone: Zone): number => Math.floor((dayKey(atMs, zone) + 3) / 7);
export function monthKey(atMs: number, zone: Zone): number {
  const local = new Date(localOf(atMs, zone));
  return local.getUTCFullYear() * 12 + local.getUTCMonth();
}
