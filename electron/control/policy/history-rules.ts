// Automatic history under policy: the schedule that takes effect, and what people may set. The stored
// schedule stays as people made it, and takes effect again when the rule goes. Pure.
import {
  DEFAULT_SCHEDULE,
  INTERVAL_MINUTES,
  type Retention,
  type Schedule,
} from '../../../shared/history.ts';
import { bytesText } from '../../../shared/units.ts';
import { CHANGE_SPACING_MS } from '../history/due.ts';
import type { Policy } from './policy.ts';

type Interval = Schedule['everyMinutes'];
const DAYS = { week: 7, month: 30 } as const;

/** The longest up to `own` that the limits leave, else the shortest; if none, the longest within `most`. */
function boundInterval(own: Interval, least: number, most: number): Interval {
  const left = INTERVAL_MINUTES.filter(minutes => minutes >= least && minutes <= most);
  const under = left.filter(minutes => minutes <= own);
  return (
    under.at(-1) ?? left[0] ?? INTERVAL_MINUTES.findLast(minutes => minutes <= most) ?? INTERVAL_MINUTES[0]
  );
}

function boundRetention(keep: Retention, least: number, most: number): Retention {
  return {
    allHours: Math.min(keep.allHours, most * 24),
    days: Math.min(Math.max(keep.days, least), most),
    weeks: Math.min(keep.weeks, Math.floor(most / DAYS.week)),
    months: Math.min(keep.months, Math.floor(most / DAYS.month)),
  };
}

/** IT demands points: people may then make them wait, or leave them out, no more than the default does. */
export const isForced = (policy: Policy): boolean => policy.most('history.everyMinutes') !== null;
const MOST = DEFAULT_SCHEDULE;

/** How long no quota drops automatic points; where IT demands points and says nothing of this, a day. */
export const heldDays = (policy: Policy): number =>
  policy.least('history.keepDays') ?? (isForced(policy) ? 1 : 0);

/** The least time between points by change: the policy's shortest interval holds for these, too. */
export const changeSpacingMs = (policy: Policy): number =>
  Math.max(CHANGE_SPACING_MS, (policy.least('history.everyMinutes') ?? 0) * 60_000);

/** The schedule that takes effect. A longest interval is a demand for points: it turns the schedule on. */
export function boundSchedule(schedule: Schedule, policy: Policy): Schedule {
  const [least, most] = [policy.least('history.everyMinutes'), policy.most('history.everyMinutes')];
  const quota = policy.most('history.quota');
  const { leastChangedBytes, batteryLeastPercent } = schedule;
  const waits = isForced(policy)
    ? {
        leastChangedBytes: Math.min(leastChangedBytes, MOST.leastChangedBytes),
        batteryLeastPercent: Math.min(batteryLeastPercent, MOST.batteryLeastPercent),
      }
    : {};
  return {
    ...schedule,
    ...waits,
    isOn: schedule.isOn || most !== null,
    everyMinutes: boundInterval(schedule.everyMinutes, least ?? 0, most ?? Number.POSITIVE_INFINITY),
    keep: boundRetention(
      schedule.keep,
      policy.least('history.keepDays') ?? 0,
      policy.most('history.keepDays') ?? Number.POSITIVE_INFINITY,
    ),
    quotaBytes: quota === null ? schedule.quotaBytes : Math.min(schedule.quotaBytes ?? quota, quota),
  };
}

/**
 * The schedule to store. A field that people left as it takes effect keeps its stored value, also beyond a
 * limit. Faults: policy.denied.
 */
export function wantedSchedule(wanted: Schedule, stored: Schedule, policy: Policy): Schedule {
  const bound = boundSchedule(stored, policy);
  const isLeft = (key: keyof Schedule): boolean => JSON.stringify(wanted[key]) === JSON.stringify(bound[key]);
  const left = Object.fromEntries(
    (Object.keys(wanted) as (keyof Schedule)[]).map(key => [key, isLeft(key) ? stored[key] : wanted[key]]),
  ) as Schedule;
  if (!isLeft('isOn') && !wanted.isOn) policy.requireUnset('history.everyMinutes');
  if (!isLeft('leastChangedBytes') && wanted.leastChangedBytes > MOST.leastChangedBytes)
    policy.requireUnset(
      'history.everyMinutes',
      `points cannot wait for more than ${bytesText(MOST.leastChangedBytes)} of changes`,
    );
  if (!isLeft('batteryLeastPercent') && wanted.batteryLeastPercent > MOST.batteryLeastPercent)
    policy.requireUnset(
      'history.everyMinutes',
      `points cannot wait for the charger above ${MOST.batteryLeastPercent}% of the battery`,
    );
  if (!isLeft('everyMinutes')) policy.requireWithin('history.everyMinutes', wanted.everyMinutes);
  if (!isLeft('keep')) policy.requireWithin('history.keepDays', longestDays(wanted.keep, policy));
  if (!isLeft('quotaBytes'))
    policy.requireWithin('history.quota', wanted.quotaBytes ?? Number.MAX_SAFE_INTEGER);
  return left;
}

/** The days to hold against the limits: of the tier that reaches furthest if beyond `most`, else `days`. */
function longestDays({ allHours, days, weeks, months }: Retention, policy: Policy): number {
  const furthest = Math.max(days, Math.ceil(allHours / 24), weeks * DAYS.week, months * DAYS.month);
  const most = policy.most('history.keepDays');
  return most !== null && furthest > most ? furthest : days;
}
