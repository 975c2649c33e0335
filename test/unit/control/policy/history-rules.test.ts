// Automatic history under policy: whatever people stored, what counts is within the limits; whatever they ask for, what is
// outside is refused, and what they left alone stays theirs.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundSchedule,
  changeSpacingMs,
  heldDays,
  wantedSchedule,
} from '../../../../electron/control/policy/history-rules.ts';
import { DEFAULT_SCHEDULE, INTERVAL_MINUTES, type Schedule } from '../../../../shared/history.ts';
import { Fault } from '../../../../shared/result.ts';
import { managed, type Settings, unrestricted } from '../../../support/policies.ts';

const GIB = 2 ** 30;
const schedules: fc.Arbitrary<Schedule> = fc.record({
  isOn: fc.boolean(),
  everyMinutes: fc.constantFrom(...INTERVAL_MINUTES),
  atMinute: fc.constant(0),
  leastChangedBytes: fc.integer({ min: 0, max: 2 ** 44 }),
  changedBytes: fc.constant(null),
  batteryLeastPercent: fc.integer({ min: 0, max: 100 }),
  keep: fc.record({
    allHours: fc.integer({ min: 1, max: 24 * 366 }),
    days: fc.integer({ min: 0, max: 366 }),
    weeks: fc.integer({ min: 0, max: 520 }),
    months: fc.integer({ min: 0, max: 240 }),
  }),
  quotaBytes: fc.option(fc.integer({ min: 1, max: 100 }).map(gib => gib * GIB)),
});
const minutes = fc.option(fc.integer({ min: 15, max: 1440 }), { nil: undefined });
const days = fc.option(fc.integer({ min: 1, max: 366 }), { nil: undefined });
/** Limits that leave something. */
const limits = fc
  .record({
    every: fc.tuple(minutes, minutes),
    keep: fc.tuple(days, days),
    quota: fc.option(fc.integer({ min: 1, max: 99 })),
  })
  .filter(({ every, keep }) =>
    [every, keep].every(([least, most]) => (least ?? 0) <= (most ?? Number.POSITIVE_INFINITY)),
  )
  .map(
    ({ every, keep, quota }): Settings => ({
      ...rule('history.everyMinutes', { min: every[0], max: every[1] }),
      ...rule('history.keepDays', { min: keep[0], max: keep[1] }),
      ...rule('history.quota', { max: quota === null ? undefined : `${quota}GiB` }),
    }),
  );
function rule(key: keyof Settings, parts: Readonly<Record<string, unknown>>): Settings {
  const said = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  return Object.keys(said).length === 0 ? {} : { [key]: said };
}
const denied = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return String(error.body.data?.key);
  }
};

describe('automatic history under policy', () => {
  it('without rules a schedule counts as it is stored, and anything may be set', () => {
    void fc.assert(
      fc.property(schedules, schedules, (stored, wanted) => {
        expect(boundSchedule(stored, unrestricted)).toEqual(stored);
        expect(wantedSchedule(wanted, stored, unrestricted)).toEqual(wanted);
      }),
    );
  });

  it('what counts is within the limits, once bound and again, and is never refused', () => {
    void fc.assert(
      fc.property(schedules, limits, (stored, settings) => {
        const policy = managed(settings);
        const bound = boundSchedule(stored, policy);
        expect(boundSchedule(bound, policy)).toEqual(bound);
        expect(wantedSchedule(bound, stored, policy)).toEqual(stored);
        const [least, most] = [
          policy.least('history.keepDays') ?? 0,
          policy.most('history.keepDays') ?? 9999,
        ];
        expect(bound.keep.days).toBeGreaterThanOrEqual(least);
        for (const reach of [
          bound.keep.days,
          bound.keep.allHours / 24,
          bound.keep.weeks * 7,
          bound.keep.months * 30,
        ])
          expect(reach).toBeLessThanOrEqual(most);
        const quota = policy.most('history.quota');
        if (quota !== null) expect(bound.quotaBytes).toBeLessThanOrEqual(quota);
        const longest = policy.most('history.everyMinutes');
        expect(bound.isOn).toBe(stored.isOn || longest !== null);
        expect(bound.everyMinutes).toBeLessThanOrEqual(longest ?? bound.everyMinutes);
        const { leastChangedBytes, batteryLeastPercent } = longest === null ? stored : DEFAULT_SCHEDULE;
        expect(bound.leastChangedBytes).toBe(Math.min(stored.leastChangedBytes, leastChangedBytes));
        expect(bound.batteryLeastPercent).toBe(Math.min(stored.batteryLeastPercent, batteryLeastPercent));
        expect(changeSpacingMs(policy)).toBe((policy.least('history.everyMinutes') ?? 15) * 60_000);
        expect(heldDays(policy)).toBe(policy.least('history.keepDays') ?? (longest === null ? 0 : 1));
      }),
    );
  });

  it('what people set counts as they set it, or is refused', () => {
    void fc.assert(
      fc.property(schedules, schedules, limits, (stored, wanted, settings) => {
        const policy = managed(settings);
        let set: Schedule;
        try {
          set = wantedSchedule(wanted, stored, policy);
        } catch (error) {
          if (error instanceof Fault && error.body.code === 'policy.denied') return;
          throw error;
        }
        const counts = boundSchedule(set, policy);
        expect({ ...counts, everyMinutes: 0 }).toEqual({ ...wanted, everyMinutes: 0 });
      }),
    );
  });

  it.each([
    ['turned off while there must be points', { isOn: false }, 'history.everyMinutes'],
    ['left out unless 16 TiB changed', { leastChangedBytes: 2 ** 44 }, 'history.everyMinutes'],
    ['never on battery', { batteryLeastPercent: 100 }, 'history.everyMinutes'],
    ['taken more readily', { leastChangedBytes: 0, batteryLeastPercent: 0 }, null],
    ['too seldom', { everyMinutes: 720 }, 'history.everyMinutes'],
    ['kept too long, in months', { keep: { ...DEFAULT_SCHEDULE.keep, months: 3 } }, 'history.keepDays'],
    ['kept too short', { keep: { allHours: 1, days: 1, weeks: 0, months: 0 } }, 'history.keepDays'],
    ['as much room as there is', { quotaBytes: null }, 'history.quota'],
    ['within all of them', { everyMinutes: 120 }, null],
  ] as const)('%s', (_, change, key) => {
    const policy = managed({
      'history.everyMinutes': { max: 240 },
      'history.keepDays': { min: 7, max: 40 },
      'history.quota': { max: '10GiB' },
    });
    const stored: Schedule = { ...DEFAULT_SCHEDULE, isOn: true };
    const counts = boundSchedule(stored, policy);
    expect(counts).toMatchObject({ keep: { months: 1 }, quotaBytes: 10 * GIB });
    expect(denied(() => wantedSchedule({ ...counts, ...change }, stored, policy))).toBe(key);
  });
});
