// Changes of a range taken back: undone, or tried and not kept; also by the control after the one that began it.
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { RangeDesk } from '../../../../electron/control/memory/range-desk.ts';
import { openRangeStore } from '../../../../electron/control/memory/range-store.ts';
import type { MemoryRange, RangeUndos } from '../../../../shared/memory.ts';
import { Fault } from '../../../../shared/result.ts';
import { MIB, TestClock, uuid } from '../../../support/memory-world.ts';

const vm = uuid(1);
const range = (minMib: number, maxMib: number): MemoryRange => ({
  minKib: minMib * MIB,
  maxKib: maxMib * MIB,
});

let clock: TestClock;
let db: Database.Database;
/** What the catalog says; null: the VM is gone. */
let now: MemoryRange | null;
let told: string[];
/** What was published, one entry a change. */
let published: RangeUndos['ranges'][];
let mostKib: number;
let isDiskFull: boolean;
/** How often what was set was to be forgotten. */
let undone: number;

function desk(alsoSet = (): unknown => undefined): RangeDesk {
  const ranges = new RangeDesk({
    clock,
    store: openRangeStore(db, () => undefined),
    specOf: () => {
      if (now === null)
        throw new Fault({ code: 'vm.not-found', what: 'It is gone.', safe: 'Nothing.', todo: 'Nothing.' });
      return { name: 'work', ...now };
    },
    setRange: (_vmId, next) => {
      if (next.maxKib > mostKib)
        throw new Fault({ code: 'memory.over-host', what: 'Too much.', safe: 'Nothing.', todo: 'Less.' });
      if (isDiskFull) throw new Error('the disk is full');
      now = next;
      alsoSet();
    },
    undone: () => undone++,
    tell: text => told.push(text),
    changed: () => published.push(ranges.all().ranges),
    log: () => undefined,
  });
  return ranges;
}

beforeEach(() => {
  clock = new TestClock();
  db = new Database(':memory:');
  now = range(256, 1024);
  told = [];
  published = [];
  mostKib = 4096 * MIB;
  isDiskFull = false;
  undone = 0;
});

describe('a range that was changed', () => {
  it('is undone, redone, and undone again', () => {
    const ranges = desk();
    ranges.set(vm, range(512, 2048));
    expect(ranges.undoOf(vm)).toEqual({ before: range(256, 1024), trialEndsAt: null });
    ranges.undo(vm);
    expect(now).toEqual(range(256, 1024));
    ranges.undo(vm);
    expect(now).toEqual(range(512, 2048));
  });

  it('and is refused where it is to be written at last is as it was, also in memory', () => {
    db.exec('CREATE TABLE one (id INTEGER PRIMARY KEY); PRAGMA foreign_keys = ON');
    db.exec('CREATE TABLE late (id INTEGER REFERENCES one DEFERRABLE INITIALLY DEFERRED)');
    const ranges = desk(() => db.exec('INSERT INTO late VALUES (1)'));
    expect(() => ranges.set(vm, range(512, 2048))).toThrow('FOREIGN KEY');
    expect([ranges.undoOf(vm).before, undone, published]).toEqual([null, 1, []]);
  });

  it('cannot be undone where nothing was changed', () => {
    const ranges = desk();
    expect(() => ranges.undo(vm)).toThrow(
      expect.objectContaining({ body: expect.objectContaining({ code: 'memory.no-change' }) }),
    );
    ranges.set(vm, range(256, 1024));
    expect(ranges.undoOf(vm).before).toBeNull();
  });

  it('and set to what it is already, can be undone as before', () => {
    const ranges = desk();
    ranges.set(vm, range(512, 2048));
    ranges.set(vm, range(512, 2048));
    expect(ranges.undoOf(vm).before).toEqual(range(256, 1024));
  });

  it('that was refused leaves what could be undone before', () => {
    const ranges = desk();
    ranges.set(vm, range(512, 2048));
    expect(() => ranges.set(vm, range(512, 8192))).toThrow(Fault);
    expect(ranges.undoOf(vm).before).toEqual(range(256, 1024));
    expect(now).toEqual(range(512, 2048));
  });
});

describe('a range that is only tried', () => {
  it('is what it was when its time is over, and that is told', async () => {
    const ranges = desk();
    ranges.try(vm, range(512, 2048), 60_000);
    await clock.advance(59_900);
    expect(now).toEqual(range(512, 2048));
    await clock.advance(200);
    expect(now).toEqual(range(256, 1024));
    expect(told).toEqual([expect.stringContaining('256 MiB – 1.0 GiB again')]);
    expect(ranges.undoOf(vm)).toEqual({ before: null, trialEndsAt: null });
  });

  it('stays when it is kept, and can be undone then', async () => {
    const ranges = desk();
    ranges.try(vm, range(512, 2048), 60_000);
    ranges.keep(vm);
    await clock.advance(120_000);
    expect(now).toEqual(range(512, 2048));
    expect(() => ranges.keep(vm)).toThrow(Fault);
    ranges.undo(vm);
    expect(now).toEqual(range(256, 1024));
  });

  it('tried again, or set for good, goes back to what was before the first trial', async () => {
    const ranges = desk();
    ranges.try(vm, range(512, 2048), 60_000);
    ranges.try(vm, range(300, 600), 60_000);
    ranges.set(vm, range(400, 500));
    await clock.advance(120_000);
    expect(now).toEqual(range(400, 500));
    ranges.undo(vm);
    expect(now).toEqual(range(256, 1024));
  });

  it('ends under the next control: at once where its time is over, in time where it is not', async () => {
    desk().try(vm, range(512, 2048), 60_000);
    const before = clock;
    clock = new TestClock();
    clock.now = before.now + 10_000;
    const next = desk();
    next.begin();
    await clock.advance(49_000);
    expect(now).toEqual(range(512, 2048));
    await clock.advance(2_000);
    expect(now).toEqual(range(256, 1024));

    desk().try(vm, range(512, 2048), 60_000);
    clock = new TestClock();
    clock.now = 10_000_000;
    desk().begin();
    await clock.advance(100);
    expect(now).toEqual(range(256, 1024));
  });

  it('ends soon after this computer woke up, where its time was over in its sleep', async () => {
    desk().try(vm, range(512, 2048), 600_000);
    await clock.advance(20_000);
    clock.aheadMs += 3_600_000;
    await clock.advance(10_000);
    expect(now).toEqual(range(256, 1024));
  });

  it('ends in time where somebody set the clock back', async () => {
    desk().try(vm, range(512, 2048), 60_000);
    clock.aheadMs -= 3_600_000;
    await clock.advance(61_000);
    expect(now).toEqual(range(256, 1024));
  });

  it('stays, and says so, where the old range is no longer allowed', async () => {
    const ranges = desk();
    ranges.try(vm, range(256, 512), 60_000);
    mostKib = 600 * MIB;
    await clock.advance(61_000);
    expect(now).toEqual(range(256, 512));
    expect(told).toEqual([expect.stringContaining('no longer allowed')]);
  });

  it('whose end fails for another reason is ended later, and loses nothing', async () => {
    const ranges = desk();
    ranges.try(vm, range(512, 2048), 60_000);
    isDiskFull = true;
    await clock.advance(65_000);
    expect(now).toEqual(range(512, 2048));
    expect(ranges.undoOf(vm).before).toEqual(range(256, 1024));
    isDiskFull = false;
    await clock.advance(10_000);
    expect(now).toEqual(range(256, 1024));
  });

  it('and what it goes back to are stored together, or neither is', () => {
    const ranges = desk();
    ranges.try(vm, range(512, 2048), 60_000);
    isDiskFull = true;
    expect(() => ranges.undo(vm)).toThrow('full');
    expect(openRangeStore(db, () => undefined).get(vm)).toMatchObject({
      before: range(256, 1024),
      trialEndsAt: expect.any(Number),
    });
  });

  it('of a VM that is gone is forgotten', async () => {
    const ranges = desk();
    ranges.try(vm, range(256, 512), 60_000);
    now = null;
    await clock.advance(61_000);
    expect(told).toEqual([]);
    desk().begin();
    expect(openRangeStore(db, () => undefined).all()).toEqual([]);
  });
});

describe('what every window is told', () => {
  const undo = (before: MemoryRange, trialEndsAt: number | null) => [{ vmId: vm, before, trialEndsAt }];

  it('is each change and each beginning and end of a trial, whoever asked for it', async () => {
    const ranges = desk();
    ranges.begin();
    ranges.set(vm, range(512, 2048));
    ranges.try(vm, range(300, 600), 60_000);
    ranges.keep(vm);
    ranges.undo(vm);
    ranges.try(vm, range(300, 600), 60_000);
    const endsAt = clock.wallMs() + 60_000;
    await clock.advance(61_000);
    expect(published).toEqual([
      [],
      undo(range(256, 1024), null),
      undo(range(512, 2048), endsAt),
      undo(range(512, 2048), null),
      undo(range(300, 600), null),
      undo(range(512, 2048), endsAt),
      [],
    ]);
  });

  it('comes after the range is what it says, and not where the change was refused', () => {
    const ranges = desk();
    const seen: (MemoryRange | null)[] = [];
    published.push = () => seen.push(now);
    ranges.set(vm, range(512, 2048));
    expect(() => ranges.set(vm, range(512, 8192))).toThrow(Fault);
    expect(seen).toEqual([range(512, 2048)]);
  });

  it('names no VM that is gone', () => {
    const ranges = desk();
    ranges.set(vm, range(512, 2048));
    now = null;
    expect(ranges.all()).toEqual({ ranges: [] });
  });
});
