// The slots of a schedule: the wall-clock times at which its automatic points are due. Pure; the caller gives
// the time zone. A day of 23 or 25 hours has the same slots as any other day. A slot that the clock jumps
// over comes later by the jump. A slot that the clock shows twice is the first of the two; but schedules of
// an hour or less keep their pace through the repeated hour.
import type { Schedule } from '../../../shared/history.ts';

export type Times = Pick<Schedule, 'everyMinutes' | 'atMinute'>;

/** Local time less UTC, in ms, at an instant. */
export type Zone = (atMs: number) => number;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "Local ms": what the wall clock shows, read as if it were UTC. In local ms every day has 24 hours. */
const localOf = (atMs: number, zone: Zone): number => atMs + zone(atMs);
const dayOf = (localMs: number): number => Math.floor(localMs / DAY_MS);

/** The first instant at which the wall clock shows that time. Where it never does: later, by the jump. */
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

/** The slots from the day before an instant to the day after it: in order, each once. */
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

/** The newest slot that is not in the future. */
export function latestSlot(times: Times, nowMs: number, zone: Zone): number {
  return slotsAround(nowMs, times, zone).findLast(slot => slot <= nowMs) ?? nowMs;
}

export function nextSlots(times: Times, nowMs: number, zone: Zone, count: number): number[] {
  const found: number[] = [];
  // Two neighbouring slots are at most a day apart, and a few hours more where the clock is changed.
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
