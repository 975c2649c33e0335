// A year of a laptop, minute for minute of what counts: it sleeps, runs on battery, its clock is set and goes wrong, control is
// down or dies between taking a point and noting it, the guest writes or rests, a person takes points. By the real decisions.
import { describe, expect, it } from 'vitest';
import { latestSlot } from '../../../electron/control/history/calendar.ts';
import {
  CHANGE_SPACING_MS,
  type Due,
  due,
  type Past,
  type Present,
} from '../../../electron/control/history/due.ts';
import { retain } from '../../../electron/control/history/retain.ts';
import { DEFAULT_SCHEDULE, type Schedule } from '../../../shared/history.ts';
import type { Moment } from '../../../shared/timeline.ts';
import { MIB } from '../../../shared/units.ts';
import { momentOf } from '../../support/histories.ts';
import { Seeded } from '../../support/seeded.ts';
import { berlin } from '../../support/zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK = 5 * MINUTE;
const BEGIN = Date.UTC(2026, 0, 1, 11, 2);

interface Taken {
  readonly moment: Moment;
  readonly slot: number | null;
  /** How often the clock had been set by then. */
  readonly clock: number;
}

class Laptop {
  readonly #random: Seeded;
  readonly schedule: Schedule;
  moments: Moment[] = [];
  readonly taken: Taken[] = [];
  /** Times that were neither taken nor skipped within two ticks, though it was awake and nothing kept it. */
  readonly late: number[] = [];
  readonly reasons = new Set<string>();
  #changedBytes = 0;
  #settledAt: number | null = null;
  /** By what the wall clock is wrong. */
  #wrongMs = 0;
  #clock = 0;
  #count = 0;
  #idleTicks = 0;

  constructor(schedule: Partial<Schedule>, seed: number) {
    this.#random = new Seeded(seed);
    this.schedule = { ...DEFAULT_SCHEDULE, isOn: true, ...schedule };
    this.#settledAt = latestSlot(this.schedule, BEGIN, berlin);
  }

  live(days: number): void {
    for (let at = BEGIN; at < BEGIN + days * DAY; at += TICK) {
      const hour = new Date(at + berlin(at)).getUTCHours();
      // Open by day, some hours of most; every tenth day not at all.
      const isAwake = hour >= 8 && hour < 22 && Math.floor(at / DAY) % 10 !== 3 && this.#mood(at) > 0.2;
      if (!isAwake) {
        this.#idleTicks = 0;
        continue;
      }
      if (this.#mood(at) > 0.5) this.#changedBytes += this.#random.below(20) * MIB;
      if (this.#random.below(3000) === 0) this.#set((this.#random.below(7) - 3) * 30 * DAY);
      else if (this.#random.below(200) === 0) this.#set(0);
      if (this.#random.below(400) === 0) this.#add('manual', null, at + this.#wrongMs);
      this.#tick(at, at + this.#wrongMs);
    }
  }

  #set(wrongMs: number): void {
    if (wrongMs !== this.#wrongMs) this.#clock += 1;
    this.#wrongMs = wrongMs;
  }

  /** The same for an hour, from 0 to 1. */
  #mood(at: number): number {
    return new Seeded(Math.floor(at / HOUR)).below(1000) / 1000;
  }

  #tick(trueAt: number, nowMs: number): void {
    const isOnBattery = this.#mood(trueAt + 7) > 0.8;
    const isBusy = this.#random.below(20) === 0;
    const past: Past = { settledAt: this.#settledAt, newestAt: this.moments.at(-1)?.takenAt ?? null };
    const power = { isOnBattery, percent: isOnBattery ? this.#random.below(60) : null };
    const asked = {
      nowMs,
      zone: berlin,
      isBusy,
      power,
      roughBytes: this.#changedBytes,
      changeSpacingMs: CHANGE_SPACING_MS,
    };
    const decide = (changedBytes: number | null): Due =>
      due(this.schedule, past, { ...asked, changedBytes } satisfies Present);
    const first = decide(null);
    const now = first.act === 'ask' ? decide(this.#changedBytes) : first;
    if (now.act !== 'none') this.reasons.add('reason' in now ? `${now.act} ${now.reason}` : now.act);
    this.#idleTicks += 1;
    if (now.act === 'skip') this.#settledAt = now.slot;
    if (now.act === 'wait') this.#idleTicks = 0;
    if (now.act !== 'take') return this.#checkLate(nowMs);
    const slot = now.slot;
    this.#add('automatic', slot, nowMs);
    // Control dies before it notes that, now and then.
    if (slot !== null && this.#random.below(50) > 0) this.#settledAt = slot;
    this.#thin(nowMs);
  }

  #checkLate(nowMs: number): void {
    if (this.#idleTicks <= 2 || (this.#settledAt ?? 0) > nowMs - 10 * MINUTE) return;
    const slot = latestSlot(this.schedule, nowMs, berlin);
    const isSettled = this.#settledAt !== null && this.#settledAt >= slot;
    if (!isSettled) this.late.push(nowMs);
  }

  #add(kind: Moment['kind'], slot: number | null, takenAt: number): void {
    const parentId = this.moments.at(-1)?.id ?? null;
    const mib = Math.max(1, this.#changedBytes / MIB);
    const moment = momentOf(this.#count++, { kind, takenAt, parentId, mib });
    this.moments.push(moment);
    this.#changedBytes = 0;
    if (kind === 'automatic') this.taken.push({ moment, slot, clock: this.#clock });
  }

  #thin(nowMs: number): void {
    const given = { inUse: new Set<never>(), spared: new Set<never>() };
    const nowParentId = this.moments.at(-1)?.id ?? null;
    const line = { moments: this.moments, nowParentId };
    const { drop } = retain(line, given, { ...this.schedule, heldDays: 0 }, nowMs, berlin);
    const gone = new Set(drop.map(({ momentId }) => momentId));
    if (gone.size === 0) return;
    // A line without branches: whoever is left hangs off the one before it.
    this.moments = this.moments
      .filter(({ id }) => !gone.has(id))
      .map((moment, index, left) => ({ ...moment, parentId: left[index - 1]?.id ?? null }));
  }
}

const SCHEDULES: readonly (readonly [string, number, Partial<Schedule>])[] = [
  ['every four hours', 365, {}],
  ['hourly', 150, { everyMinutes: 60, keep: { allHours: 24, days: 7, weeks: 4, months: 0 } }],
  [
    'once a day, in the hour that is left out',
    365,
    { everyMinutes: 1440, atMinute: 150, leastChangedBytes: 0 },
  ],
  [
    'every quarter of an hour and by change',
    60,
    { everyMinutes: 15, changedBytes: 200 * MIB, quotaBytes: 2048 * MIB },
  ],
];

describe.each(SCHEDULES)('points %s, for %i days', (_, days, schedule) => {
  it.each([1, 2])('seed %i: each time once, none late, and few are left', seed => {
    const laptop = new Laptop(schedule, seed);
    laptop.live(days);
    const slots = laptop.taken.flatMap(({ slot, clock }) => (slot === null ? [] : [`${slot} ${clock}`]));
    expect(slots.length).toBeGreaterThan(100);
    expect(laptop.late).toEqual([]);
    // A clock that was wrong makes a time come again; nothing else does.
    expect(slots).toHaveLength(new Set(slots).size);
    const { keep, everyMinutes } = laptop.schedule;
    const automatic = laptop.moments.filter(({ kind }) => kind === 'automatic');
    const inAllHours = automatic.filter(
      ({ takenAt }) => takenAt > (laptop.moments.at(-1)?.takenAt ?? 0) - keep.allHours * HOUR,
    );
    expect(automatic.length - inAllHours.length).toBeLessThanOrEqual(keep.days + keep.weeks + keep.months);
    if (everyMinutes === 240)
      expect([...laptop.reasons].sort()).toEqual([
        'skip clock',
        'skip covered',
        'skip little',
        'skip unchanged',
        'take missed',
        'take time',
        'wait battery',
        'wait busy',
      ]);
    expect(laptop.moments.filter(({ kind }) => kind === 'manual').length).toBeGreaterThan(1);
  });
});
