import { describe, expect, it } from 'vitest';
import {
  dayKey,
  latestSlot,
  monthKey,
  nextSlots,
  type Times,
  weekKey,
  type Zone,
} from '../../../../electron/control/history/calendar.ts';
import { berlin, halfHour, shown } from '../../../support/zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const every = (everyMinutes: Times['everyMinutes'], atMinute = 0): Times => ({ everyMinutes, atMinute });
function dayOf(day: string, times: Times, zone: Zone): string[] {
  const from = Date.parse(`${day}T00:00Z`) - 14 * HOUR;
  return nextSlots(times, from, zone, 300)
    .map(at => shown(at, zone))
    .filter(text => text.startsWith(day))
    .map(text => text.slice(11));
}

describe('times of points', () => {
  it('stand around the one that is given, on an ordinary day', () => {
    expect(dayOf('2026-07-01', every(240), berlin)).toEqual([
      '00:00',
      '04:00',
      '08:00',
      '12:00',
      '16:00',
      '20:00',
    ]);
    expect(dayOf('2026-07-01', every(480, 570), berlin)).toEqual(['01:30', '09:30', '17:30']);
    expect(dayOf('2026-07-01', every(1440, 750), berlin)).toEqual(['12:30']);
    expect(dayOf('2026-07-01', every(15, 7), berlin)).toHaveLength(96);
  });

  it('are there on the day of 23 hours: one that the clock jumps over is as much later', () => {
    expect(dayOf('2026-03-29', every(1440, 150), berlin)).toEqual(['03:30']);
    expect(dayOf('2026-03-29', every(240), berlin)).toEqual([
      '00:00',
      '04:00',
      '08:00',
      '12:00',
      '16:00',
      '20:00',
    ]);
    expect(dayOf('2026-03-29', every(60), berlin)).toHaveLength(23);
  });

  it('come once on the day of 25 hours, but at their pace where they are hourly', () => {
    expect(dayOf('2026-10-25', every(1440, 150), berlin)).toEqual(['02:30']);
    const hourly = dayOf('2026-10-25', every(60), berlin);
    expect(hourly).toHaveLength(25);
    expect(hourly.slice(1, 5)).toEqual(['01:00', '02:00', '02:00', '03:00']);
    expect(dayOf('2026-10-25', every(30), berlin)).toHaveLength(50);
    expect(dayOf('2026-04-01', every(30), halfHour)).toHaveLength(49);
  });

  it('the latest is not in the future, and the next comes right after it', () => {
    for (const zone of [berlin, halfHour])
      for (let at = Date.UTC(2026, 2, 28); at < Date.UTC(2026, 3, 2); at += 7 * MINUTE) {
        const latest = latestSlot(every(120, 30), at, zone);
        expect(latest).toBeLessThanOrEqual(at);
        expect(nextSlots(every(120, 30), latest, zone, 1)[0]).toBeGreaterThan(at);
      }
  });
});

describe('days, weeks and months', () => {
  const local = (text: string): number => {
    const at = Date.parse(`${text}Z`);
    return at - berlin(at - berlin(at));
  };
  it('are those of the wall clock', () => {
    expect(dayKey(local('2026-07-02T00:30'), berlin)).toBe(dayKey(local('2026-07-02T23:30'), berlin));
    expect(dayKey(local('2026-07-02T00:30'), berlin)).toBe(dayKey(local('2026-07-01T23:30'), berlin) + 1);
    // 2026-11-29 is a Sunday.
    expect(weekKey(local('2026-11-29T23:59'), berlin)).toBe(weekKey(local('2026-11-23T00:00'), berlin));
    expect(weekKey(local('2026-11-30T00:00'), berlin)).toBe(weekKey(local('2026-11-29T23:59'), berlin) + 1);
    expect(monthKey(local('2027-01-01T00:00'), berlin)).toBe(monthKey(local('2026-12-31T23:59'), berlin) + 1);
  });
});
