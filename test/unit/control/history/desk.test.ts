// The desk over a history in memory: what it asks, takes, drops and notes, and what it makes of whatever goes wrong.
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { HistoryDesk, type HistoryDeskPorts } from '../../../../electron/control/history/desk.ts';
import { openHistoryStore } from '../../../../electron/control/history/store.ts';
import { DEFAULT_SCHEDULE, type Schedule } from '../../../../shared/history.ts';
import type { MomentId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import type { Timeline } from '../../../../shared/timeline.ts';
import { MIB } from '../../../../shared/units.ts';
import { momentOf, pointOf, told, without } from '../../../support/histories.ts';
import { SETTLE_AT_REST } from '../../../support/settle-at-rest.ts';
import { berlin } from '../../../support/zones.ts';

const HOUR = 3_600_000;
const VM = '00000000-0000-4000-b000-000000000001' as VmId;
const NOON = Date.UTC(2026, 6, 1, 10);
const fault = (code: 'storage.unavailable' | 'disk.full', what: string): Fault =>
  new Fault({ code, what, safe: '', todo: '' });

class World {
  now = NOON + 60_000;
  db = new Database(':memory:');
  changedBytes = 0;
  isBusy = false;
  isRunning = true;
  power = { isOnBattery: false, percent: null as number | null };
  changeSpacingMs = 0;
  isThere = true;
  isTrashed = false;
  used: number[] = [];
  failing: Fault | null = null;
  asked: string[] = [];
  logged: string[] = [];
  /** What retention said it would drop, and what it dropped. */
  told: MomentId[][] = [];
  published = 0;
  /** What storage was told last. */
  isHeld = false;
  line = told({ moments: [], nowParentId: null });
  rules: HistoryDeskPorts['rules'] = {
    bound: schedule => schedule,
    wanted: schedule => schedule,
    heldDays: () => 0,
    isForced: () => false,
  };
  desk = this.#desk();
  #count = 0;

  #desk(): HistoryDesk {
    const ports: HistoryDeskPorts = {
      clock: {
        wallMs: () => this.now,
        monotonicMs: () => this.now,
        after: () => ({ cancel: () => undefined }),
        every: () => ({ cancel: () => undefined }),
      },
      zone: berlin,
      store: openHistoryStore(this.db),
      checkVm: () => undefined,
      isThere: () => this.isThere,
      isTrashed: () => this.isTrashed,
      vms: () => [VM],
      rules: this.rules,
      isRunning: () => this.isRunning,
      isBusy: () => this.isBusy,
      inUse: () => new Set(this.used.map(pointOf)),
      power: () => this.power,
      changeSpacingMs: () => this.changeSpacingMs,
      holdSettling: async (_, isHeld) => {
        await this.#answer(isHeld ? 'hold' : 'release', null);
        this.isHeld = isHeld;
      },
      timeline: () => this.#answer('timeline', this.#timeline()),
      cost: () => this.#answer('cost', { allocatedBytes: 0, freesNowBytes: 0, freesLaterBytes: MIB }),
      thinning: (_, moments) => {
        this.told.push(moments.map(({ id }) => id));
        return gone => this.told.push(gone.map(({ id }) => id));
      },
      drop: async (_, id) => {
        await this.#answer(`drop ${Number.parseInt(id.slice(-12), 16)}`, null);
        this.line = without(this.line, new Set([id]));
      },
      changedBytes: () => this.#answer('changed', this.changedBytes),
      take: async () => {
        await this.#answer('take', null);
        return this.add({});
      },
      changed: () => {
        this.published += 1;
      },
      log: line => this.logged.push(line),
    };
    return new HistoryDesk(ports);
  }

  /** Control ends and comes back. */
  async restart(): Promise<void> {
    this.desk = this.#desk();
    this.desk.begin();
    await this.desk.look();
  }

  add(wish: Parameters<typeof momentOf>[1]) {
    const { moments, nowParentId } = this.line;
    const moment = momentOf(this.#count++, { takenAt: this.now, parentId: nowParentId, ...wish });
    this.line = told({ moments: [...moments, moment], nowParentId: moment.id });
    this.changedBytes = 0;
    return moment;
  }

  #answer<T>(what: string, value: T): Promise<T> {
    this.asked.push(what);
    return this.failing === null ? Promise.resolve(value) : Promise.reject(this.failing);
  }

  #timeline(): Timeline {
    const { changedBytes: nowBytes } = this;
    const rest = { disks: [], trash: [], nowBytes, settle: SETTLE_AT_REST, freeBytes: 0 };
    return { vmId: VM, ...rest, ...this.line, moments: [...this.line.moments] };
  }

  set(schedule: Partial<Schedule> = {}): void {
    this.desk.set(VM, { ...DEFAULT_SCHEDULE, isOn: true, ...schedule });
  }
  async lookAt(now: number): Promise<ReturnType<HistoryDesk['state']>['last']> {
    this.now = now;
    this.asked = [];
    await this.desk.look();
    return this.desk.state(VM).last;
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('the desk of automatic points', () => {
  it('takes a point at its time, tells, and asks nothing of storage in between', async () => {
    world.set();
    world.add({ takenAt: NOON });
    world.changedBytes = 60 * MIB;
    expect(await world.lookAt(NOON + HOUR)).toBeNull();
    expect(world.asked).toEqual([]);
    const before = world.published;
    const last = await world.lookAt(NOON + 4 * HOUR + 1000);
    expect(last).toMatchObject({ outcome: 'took', reason: 'time', momentId: world.line.nowParentId });
    expect(world.asked.slice(0, 3)).toEqual(['timeline', 'changed', 'take']);
    expect(world.published).toBeGreaterThan(before);
    world.changedBytes = 60 * MIB;
    await world.lookAt(NOON + 4 * HOUR + 61_000);
    expect(world.asked).toEqual([]);
  });

  it('of a VM without a point takes what there is, and none while it is off', async () => {
    world.set({ isOn: false });
    world.changedBytes = 60 * MIB;
    expect(await world.lookAt(NOON + 4 * HOUR)).toBeNull();
    world.set();
    expect(await world.lookAt(NOON + 8 * HOUR)).toMatchObject({ outcome: 'took' });
  });

  it('makes up for the times control was down with one, and not for the one before it was turned on', async () => {
    world.set();
    world.changedBytes = 60 * MIB;
    await world.restart();
    expect(await world.lookAt(NOON + 2 * 60_000)).toBeNull();
    await world.restart();
    expect(await world.lookAt(NOON + 50 * HOUR)).toMatchObject({ outcome: 'took', reason: 'missed' });
    expect(world.line.moments).toHaveLength(1);
  });

  it('a time that passed is not settled by setting the schedule again where there must be points', async () => {
    world.rules = { ...world.rules, isForced: () => true };
    await world.restart();
    world.set();
    world.changedBytes = 60 * MIB;
    expect(await world.lookAt(NOON + 60_000)).toMatchObject({ outcome: 'took' });
    world.changedBytes = 60 * MIB;
    world.now = NOON + 4 * HOUR + 1000;
    world.set({ keep: { allHours: 1, days: 0, weeks: 0, months: 0 } });
    expect(await world.lookAt(NOON + 4 * HOUR + 2000)).toMatchObject({ outcome: 'took', reason: 'time' });
  });

  it('waits for the charger and for tasks, says so once, and takes it then', async () => {
    world.set();
    world.changedBytes = 60 * MIB;
    world.power = { isOnBattery: true, percent: 10 };
    const waiting = await world.lookAt(NOON + 4 * HOUR);
    expect(waiting).toMatchObject({ outcome: 'waiting', reason: 'battery' });
    expect(await world.lookAt(NOON + 4 * HOUR + 60_000)).toEqual(waiting);
    world.isBusy = true;
    expect(await world.lookAt(NOON + 4 * HOUR + 120_000)).toMatchObject({ reason: 'busy' });
    world.isBusy = false;
    world.power = { isOnBattery: false, percent: 10 };
    expect(await world.lookAt(NOON + 5 * HOUR)).toMatchObject({ outcome: 'took', reason: 'missed' });
  });

  it('settling waits for the charger too, without automatic points, until somebody wants it anyway', async () => {
    world.power = { isOnBattery: true, percent: 10 };
    await world.desk.look();
    expect(world.isHeld).toBe(true);
    // Storage died and forgot it.
    world.isHeld = false;
    await world.desk.look();
    expect(world.isHeld).toBe(true);
    await world.desk.settleAnyway(VM);
    await world.desk.look();
    expect(world.isHeld).toBe(false);
    // Until the next time.
    world.power = { isOnBattery: false, percent: 12 };
    await world.desk.look();
    world.power = { isOnBattery: true, percent: 10 };
    await world.desk.look();
    expect(world.isHeld).toBe(true);
    world.failing = fault('storage.unavailable', 'It is away.');
    world.power = { isOnBattery: true, percent: 25 };
    await world.desk.look();
    world.failing = null;
    await world.desk.look();
    expect(world.isHeld).toBe(false);
    const asked = world.asked.length;
    await world.desk.look();
    expect(world.asked).toHaveLength(asked);
  });

  it('a hold that cannot be told keeps no automatic point waiting', async () => {
    world.set();
    world.changedBytes = 60 * MIB;
    world.failing = fault('storage.unavailable', 'It is away.');
    world.power = { isOnBattery: true, percent: 10 };
    expect(await world.lookAt(NOON + 4 * HOUR)).toMatchObject({ outcome: 'failed' });
  });

  it('tries again when storage was away; any other fault settles the time, and is told', async () => {
    world.set();
    world.changedBytes = 60 * MIB;
    world.failing = fault('storage.unavailable', 'It is away.');
    expect(await world.lookAt(NOON + 4 * HOUR)).toMatchObject({ outcome: 'failed', reason: 'fault' });
    world.failing = null;
    expect(await world.lookAt(NOON + 4 * HOUR + 60_000)).toMatchObject({ outcome: 'took' });
    world.changedBytes = 60 * MIB;
    world.failing = fault('disk.full', 'The disk is full.');
    const failed = await world.lookAt(NOON + 8 * HOUR);
    expect(failed?.text).toContain('The disk is full.');
    expect(world.logged.at(-1)).toContain('The disk is full.');
    world.failing = null;
    expect(await world.lookAt(NOON + 8 * HOUR + 60_000)).toEqual(failed);
    expect(await world.lookAt(NOON + 12 * HOUR)).toMatchObject({ outcome: 'took' });
  });

  it('takes one as soon as so much was written, of a VM that runs, and a policy leaves it', async () => {
    world.set({ changedBytes: 100 * MIB });
    world.add({ takenAt: NOON });
    world.changedBytes = 200 * MIB;
    world.isRunning = false;
    expect(await world.lookAt(NOON + HOUR)).toBeNull();
    world.isRunning = true;
    world.changeSpacingMs = HOUR + 1;
    expect(await world.lookAt(NOON + HOUR)).toBeNull();
    world.changeSpacingMs = HOUR;
    expect(await world.lookAt(NOON + HOUR)).toMatchObject({ outcome: 'took', reason: 'change' });
  });

  it('forgets a VM that is gone, but not one that is in the trash: taken back, it has its schedule', async () => {
    world.set();
    const { schedule } = world.desk.state(VM);
    expect(schedule).not.toEqual(DEFAULT_SCHEDULE);
    [world.isThere, world.isTrashed] = [false, true];
    await world.lookAt(NOON + HOUR);
    world.isThere = true;
    expect(world.desk.state(VM).schedule).toEqual(schedule);
  });

  it('forgets a VM that is gone', async () => {
    world.set();
    world.isThere = false;
    await world.lookAt(NOON + 4 * HOUR);
    world.isThere = true;
    expect(world.desk.state(VM).schedule).toEqual(DEFAULT_SCHEDULE);
  });
});

describe('thinning out', () => {
  const KEEP = { allHours: 1, days: 0, weeks: 0, months: 0 };
  /** Five automatic points, an hour apart; the last two are a person's and Now's. */
  function five(): void {
    for (let hour = 0; hour < 5; hour++)
      world.add({ takenAt: NOON - (10 - hour) * HOUR, kind: hour === 3 ? 'manual' : 'automatic' });
  }

  it('drops after the time was decided, also where it was skipped; and shows before what', async () => {
    five();
    world.add({ takenAt: NOON, kind: 'manual' });
    world.set({ keep: KEEP });
    const { drop, nextAt, frees } = await world.desk.preview(VM, null);
    expect(drop.map(({ why }) => why)).toEqual(['thinned', 'thinned', 'thinned', 'thinned']);
    expect(nextAt[0]).toBe(NOON + 4 * HOUR);
    // Three at the end go file by file; the fourth has somebody's hanging off it.
    expect(frees).toEqual({ freesNowBytes: 30 * MIB, freesLaterBytes: MIB });
    expect(await world.lookAt(NOON + 4 * HOUR)).toMatchObject({ outcome: 'skipped', reason: 'unchanged' });
    expect(world.asked.filter(what => what.startsWith('drop'))).toEqual([
      'drop 0',
      'drop 1',
      'drop 2',
      'drop 4',
    ]);
    expect(world.desk.state(VM).lastDrop).toEqual({ at: NOON + 4 * HOUR, count: 4 });
    const gone = drop.map(({ momentId }) => momentId);
    expect(world.told).toEqual([gone, gone]);
  });

  it('leaves what is read, and what a person took back, through a restart too', async () => {
    five();
    world.add({ takenAt: NOON, kind: 'manual' });
    world.set({ keep: KEEP });
    world.used = [1];
    world.desk.spare(VM, { id: world.line.moments[2]?.id as MomentId, kind: 'automatic' });
    await world.restart();
    await world.lookAt(NOON + 4 * HOUR);
    expect(world.asked.filter(what => what.startsWith('drop'))).toEqual(['drop 0', 'drop 4']);
  });
});
