import { describe, expect, it } from 'vitest';
import {
  CHANGE_SPACING_MS,
  type Due,
  due,
  type Past,
  type Present,
} from '../../../../electron/control/history/due.ts';
import { DEFAULT_SCHEDULE, type Schedule } from '../../../../shared/history.ts';
import { MIB } from '../../../../shared/units.ts';
import { berlin } from '../../../support/zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** 16:00 in Berlin. */
const FOUR = Date.UTC(2026, 6, 1, 14);
const NOON = FOUR - 4 * HOUR;

interface Wish {
  readonly schedule?: Partial<Schedule>;
  readonly past?: Partial<Past>;
  readonly present?: Partial<Present>;
}
function decided({ schedule, past, present }: Wish): Due {
  return due(
    { ...DEFAULT_SCHEDULE, isOn: true, ...schedule },
    { settledAt: NOON, newestAt: NOON, ...past },
    {
      nowMs: FOUR + 20_000,
      zone: berlin,
      isBusy: false,
      power: { isOnBattery: false, percent: null },
      roughBytes: 0,
      changedBytes: 60 * MIB,
      changeSpacingMs: CHANGE_SPACING_MS,
      ...present,
    },
  );
}

describe('a point by the clock', () => {
  it('is taken at its time, once', () => {
    expect(decided({})).toEqual({ act: 'take', reason: 'time', slot: FOUR });
    expect(decided({ past: { settledAt: FOUR } })).toEqual({ act: 'none' });
    expect(decided({ present: { nowMs: FOUR - 1 } })).toEqual({ act: 'none' });
    expect(decided({ schedule: { isOn: false } })).toEqual({ act: 'none' });
  });

  it('is asked about before it is taken', () => {
    expect(decided({ present: { changedBytes: null } })).toEqual({ act: 'ask' });
  });

  it('is skipped where nothing, or too little, was written', () => {
    expect(decided({ present: { changedBytes: 0 } })).toMatchObject({ act: 'skip', reason: 'unchanged' });
    expect(decided({ present: { changedBytes: 49 * MIB } })).toMatchObject({ act: 'skip', reason: 'little' });
    const anyChange = { leastChangedBytes: 0 };
    expect(decided({ schedule: anyChange, present: { changedBytes: 4096 } }).act).toBe('take');
    expect(decided({ schedule: anyChange, present: { changedBytes: 0 } }).act).toBe('skip');
  });

  it('is made up for once when the time passed unseen', () => {
    expect(decided({ past: { settledAt: NOON - 40 * HOUR }, present: { nowMs: FOUR + 3 * HOUR } })).toEqual({
      act: 'take',
      reason: 'missed',
      slot: FOUR,
    });
  });

  it('is not taken again where control died before it noted that', () => {
    expect(decided({ past: { newestAt: FOUR + 5_000 } })).toEqual({
      act: 'skip',
      reason: 'covered',
      slot: FOUR,
    });
  });

  it('waits while the VM is busy, and on a low battery; then it is taken', () => {
    expect(decided({ present: { isBusy: true } })).toEqual({ act: 'wait', reason: 'busy' });
    const battery = (percent: number | null, batteryLeastPercent = 20): Due =>
      decided({ schedule: { batteryLeastPercent }, present: { power: { isOnBattery: true, percent } } });
    expect(battery(19)).toEqual({ act: 'wait', reason: 'battery' });
    expect(battery(20).act).toBe('take');
    expect(battery(null).act).toBe('take');
    expect(battery(null, 100).act).toBe('wait');
    expect(battery(100, 100).act).toBe('wait');
    expect(battery(1, 0).act).toBe('take');
    expect(decided({ present: { power: { isOnBattery: false, percent: 3 } } }).act).toBe('take');
  });

  it('does not wait for a clock that was ahead', () => {
    expect(decided({ past: { settledAt: FOUR + 400 * 24 * HOUR } })).toEqual({
      act: 'skip',
      reason: 'clock',
      slot: FOUR,
    });
    // A point from that future covers nothing.
    expect(decided({ past: { newestAt: FOUR + 400 * 24 * HOUR } }).act).toBe('take');
    // Set back by less than an interval: the same time does not come twice.
    expect(decided({ past: { settledAt: FOUR }, present: { nowMs: FOUR - MINUTE } })).toEqual({
      act: 'none',
    });
  });
});

describe('a point by change', () => {
  const schedule = { changedBytes: 500 * MIB };
  const past = { settledAt: FOUR, newestAt: FOUR - HOUR };
  const change = (present: Partial<Present>, more: Partial<Past> = {}): Due =>
    decided({
      schedule,
      past: { ...past, ...more },
      present: { roughBytes: 600 * MIB, changedBytes: 600 * MIB, ...present },
    });

  it('is taken as soon as so much was written', () => {
    expect(change({})).toEqual({ act: 'take', reason: 'change', slot: null });
    expect(change({ changedBytes: null })).toEqual({ act: 'ask' });
  });
  it('is not taken for what only looks so much, nor too soon, nor meanwhile', () => {
    expect(change({ changedBytes: 499 * MIB })).toEqual({ act: 'none' });
    expect(change({ roughBytes: 499 * MIB })).toEqual({ act: 'none' });
    expect(change({ roughBytes: null })).toEqual({ act: 'none' });
    expect(change({}, { newestAt: FOUR - 10 * MINUTE })).toEqual({ act: 'none' });
    expect(change({ isBusy: true })).toEqual({ act: 'none' });
    // Where a policy wants them further apart, not before.
    expect(change({ changeSpacingMs: HOUR + 21_000 })).toEqual({ act: 'none' });
    expect(change({ changeSpacingMs: HOUR + 20_000 }).act).toBe('take');
    expect(change({ power: { isOnBattery: true, percent: 5 } })).toEqual({ act: 'none' });
  });
});
