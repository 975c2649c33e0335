import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Histories } from '../../../../electron/control/memory/histories.ts';
import { openHistoryRows } from '../../../../electron/control/memory/history-rows.ts';
import type { VmId } from '../../../../shared/ids.ts';

const id = 'v' as VmId;
const sample = (at: number, actualKib = 100) => ({ at, targetKib: 100, actualKib, usedKib: null });

describe('the chart of a VM', () => {
  it('goes on over a stop and a start, with a gap between', () => {
    const histories = new Histories();
    histories.note(id, sample(1_000));
    histories.note(id, sample(1_500));
    histories.note(id, sample(2_000, 90));
    histories.end(id, 2_100);
    histories.note(id, sample(2_200, 80));
    expect(histories.since(id, 0, 3_000).map(({ at, actualKib }) => [at, actualKib])).toEqual([
      [1_000, 100],
      [2_000, 90],
      [2_100, null],
      [2_200, 80],
    ]);
    expect(histories.since(id, 2_000, 3_000)).toHaveLength(2);
  });

  it('goes on from where the clock was set back to, without what lies behind', () => {
    const histories = new Histories();
    const hour = 3_600_000;
    for (const at of [0, 20_000, hour, hour + 20_000]) histories.note(id, sample(at));
    histories.note(id, sample(30_000, 70));
    histories.note(id, sample(50_000, 60));
    const told = (nowMs: number) => histories.since(id, -1, nowMs).map(({ at }) => at);
    expect(told(50_000)).toEqual([0, 20_000, 30_000, 50_000]);
    expect(told(hour - 2)).toEqual([0, 20_000, 30_000, 50_000]);
  });

  it('is bounded: the oldest samples go first, and the VM silent longest', () => {
    const histories = new Histories();
    for (let second = 0; second < 1_000; second++) histories.note(id, sample(second * 1_000));
    const kept = histories.since(id, 399_999, 999_999);
    expect(kept).toHaveLength(600);
    expect(kept.at(-1)?.at).toBe(999_000);
    for (let other = 0; other < 300; other++) histories.note(`o${other}` as VmId, sample(1));
    expect(histories.since(id, -1, 0)).toEqual([]);
    expect(histories.since('o299' as VmId, -1, 1)).toHaveLength(1);
  });

  it('is coarser the further back it reaches: means of what was used, the target as it was last', () => {
    const histories = new Histories();
    const minute = 60_000;
    for (let at = 0; at < 30 * minute; at += 1_000)
      histories.note(id, {
        at,
        targetKib: at,
        actualKib: at % 20_000 < 10_000 ? 100 : 200,
        usedKib: at === 0 ? null : 50,
      });
    const now = 30 * minute;
    expect(histories.since(id, now - 10 * minute, now)).toHaveLength(599);
    const hour = histories.since(id, now - 60 * minute, now);
    expect(hour).toHaveLength(180);
    expect(hour.slice(0, 2)).toEqual([
      { at: 9_000, targetKib: 9_000, actualKib: 100, usedKib: 50 },
      { at: 19_000, targetKib: 19_000, actualKib: 200, usedKib: 50 },
    ]);
    const day = histories.since(id, now - 24 * 60 * minute, now);
    expect(day.map(({ actualKib }) => actualKib)).toEqual(Array(15).fill(150));
    expect(histories.since(id, 0, 7 * 24 * 60 * minute)).toHaveLength(2);
  });

  it('a day and a week outlive control; a VM that is deleted takes its own along', () => {
    const db = new Database(':memory:');
    const rows = openHistoryRows(db, line => expect.unreachable(line));
    const before = new Histories(rows);
    for (let at = 0; at <= 20 * 60_000; at += 1_000) before.note(id, sample(at));
    before.note('other' as VmId, sample(0));
    before.end(id, 20 * 60_000 + 500);
    const now = 21 * 60_000;
    const after = new Histories(openHistoryRows(db, line => expect.unreachable(line)));
    expect(after.since(id, now - 60_000, now)).toEqual([]);
    const day = after.since(id, now - 20 * 3_600_000, now);
    expect(day).toEqual(before.since(id, now - 20 * 3_600_000, now));
    expect(day.at(-1)).toMatchObject({ actualKib: null });
    expect(after.since(id, 0, 7 * 86_400_000)).toHaveLength(3);
    // What is older than a window goes as new figures come.
    after.note(id, sample(now + 9 * 86_400_000));
    after.note(id, sample(now + 9 * 86_400_000 + 3_600_000));
    expect(db.prepare('SELECT count(*) AS n FROM memory_history WHERE vm = ?').get(id)).toEqual({ n: 2 });
    after.forget(id);
    expect(db.prepare('SELECT count(*) AS n FROM memory_history WHERE vm = ?').get(id)).toEqual({ n: 0 });
  });

  it('of a clock that was set back the rows of the future go, those of the last control, too', () => {
    const db = new Database(':memory:');
    const rows = openHistoryRows(db, line => expect.unreachable(line));
    const [minute, week] = [60_000, 7 * 86_400_000];
    const stored = () => db.prepare('SELECT count(*) AS n FROM memory_history').get();
    const fill = (histories: Histories) => {
      for (let at = 0; at <= 60 * minute; at += minute) histories.note(id, sample(at));
    };
    const one = new Histories(rows);
    fill(one);
    const whole = stored();
    expect(whole).toEqual({ n: 34 });
    // By the control that wrote them; then a new one fills, and the next but one finds the clock set back.
    one.note(id, sample(10 * minute, 70));
    expect(stored()).toEqual({ n: 5 });
    fill(new Histories(rows));
    const next = new Histories(rows);
    next.note(id, sample(10 * minute, 70));
    expect(stored()).toEqual({ n: 5 });
    expect(next.since(id, -1, week - 1).at(-1)).toMatchObject({ at: 10 * minute, actualKib: 70 });
  });

  it('one sample from 1970 changes nothing; a clock that stays there is believed', () => {
    const db = new Database(':memory:');
    const histories = new Histories(openHistoryRows(db, line => expect.unreachable(line)));
    const start = 1_800_000_000_000;
    const told = () => histories.since(id, start - 1, start - 1 + 86_400_000).length;
    for (let second = 0; second < 600; second++) histories.note(id, sample(start + second * 1_000));
    const before = told();
    for (const later of [600, 601]) {
      histories.note(id, sample(0));
      histories.note(id, sample(start + later * 1_000));
    }
    expect([before, told()]).toEqual([5, 6]);
    for (let second = 0; second < 10; second++) histories.note(id, sample(second * 1_000));
    expect(told()).toBe(0);
    expect(histories.since(id, 0, 10_000).map(({ at }) => at)).toEqual(
      [4, 5, 6, 7, 8, 9].map(n => n * 1_000),
    );
    expect(db.prepare('SELECT count(*) AS n FROM memory_history').get()).toEqual({ n: 0 });
  });
});
