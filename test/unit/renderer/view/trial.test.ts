import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatCountdown,
  secondsLeft,
  type Trial,
  trialNews,
  trialOf,
  undoTarget,
  untilNextSecond,
} from '../../../../renderer/view/trial.ts';

const range = (minKib: number, maxKib: number) => ({ minKib, maxKib });

describe('the countdown of a trial', () => {
  it('counts whole seconds down to one, and is over at none', () => {
    expect([60_000, 59_999, 59_001, 59_000, 1, 0, -5000].map(left => secondsLeft(left, 0))).toEqual([
      60, 60, 60, 59, 1, 0, 0,
    ]);
  });

  it('looks again exactly when the number is another: none is shown twice as long, and none is left out', () => {
    void fc.assert(
      fc.property(fc.integer({ min: 1, max: 600_000 }), left => {
        const shown: number[] = [];
        let at = 0;
        for (let wait: number | null = 0; wait !== null; wait = untilNextSecond(left, at), at += wait ?? 0)
          shown.push(secondsLeft(left, at));
        const first = Math.ceil(left / 1000);
        expect(shown).toEqual(Array.from({ length: first + 1 }, (_, index) => first - index));
      }),
    );
  });

  it.each([
    [60, '1:00'],
    [48, '0:48'],
    [5, '0:05'],
    [600, '10:00'],
    [0, '0:00'],
  ])('writes %i as %s', (seconds, words) => {
    expect(formatCountdown(seconds)).toBe(words);
  });
});

describe('what is said of a trial', () => {
  const trial: Trial = { before: range(100, 400), endsAt: 60_000 };
  const at = (left: number, of: Trial | null = trial) => ({ trial: of, left });
  const none = at(0, null);

  it('is its beginning, ten seconds left, and its end; each once', () => {
    const story = [none, ...Array.from({ length: 61 }, (_, index) => at(60 - index)), none, none];
    const said = story.slice(1).map((is, index) => trialNews(story[index] ?? none, is));
    expect(said.flatMap((news, index) => (news === null ? [] : [[index, news]]))).toEqual([
      [0, 'began'],
      [50, 'soon'],
      [61, 'ended'],
    ]);
  });

  it('is not missed where seconds were slept through', () => {
    expect(trialNews(at(30), at(4))).toBe('soon');
    expect(trialNews(at(30), none)).toBe('ended');
  });

  it('begins anew where another range is tried, and for a page that opens in the middle', () => {
    expect(trialNews(at(20), at(60, { ...trial, endsAt: 100_000 }))).toBe('began');
    expect(trialNews(none, at(5))).toBe('began');
  });
});

describe('what undoing would bring back', () => {
  const before = range(100, 400);
  it('is the range before, but not of a trial, and not what is there already', () => {
    expect(undoTarget({ before, trialEndsAt: null }, range(200, 300))).toEqual(before);
    expect(undoTarget({ before, trialEndsAt: 60_000 }, range(200, 300))).toBeNull();
    expect(undoTarget({ before, trialEndsAt: null }, before)).toBeNull();
    expect(undoTarget({ before: null, trialEndsAt: null }, before)).toBeNull();
  });

  it('belongs to a trial only while one is on', () => {
    expect(trialOf({ before, trialEndsAt: 60_000 })).toEqual({ before, endsAt: 60_000 });
    expect(trialOf({ before, trialEndsAt: null })).toBeNull();
    expect(trialOf({ before: null, trialEndsAt: 60_000 })).toBeNull();
  });
});
