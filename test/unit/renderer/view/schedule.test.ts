import { describe, expect, it } from 'vitest';
import { en } from '../../../../renderer/i18n/en.ts';
import { pointName } from '../../../../renderer/view/points.ts';
import { clockOf, countOf, freesOf, minuteOf, staying } from '../../../../renderer/view/schedule.ts';
import type { CleanUp } from '../../../../shared/history.ts';
import { idOf } from '../../../support/histories.ts';

describe('what is typed', () => {
  it('is a time of day, or none', () => {
    for (const minute of [0, 59, 60, 570, 1439]) expect(minuteOf(clockOf(minute))).toBe(minute);
    expect(clockOf(570)).toBe('09:30');
    for (const text of ['', '24:00', '12:60', 'noon', '9']) expect(minuteOf(text)).toBeNull();
  });
  it('is a whole number within its limits, or none', () => {
    expect([countOf('24', 1, 24), countOf(' 7 ', 0, 366), countOf('0', 0, 366)]).toEqual([24, 7, 0]);
    for (const text of ['', '25', '0', '1.5', '-1', '1e1']) expect(countOf(text, 1, 24)).toBeNull();
  });
});

describe('cleaning up', () => {
  const offer: CleanUp = {
    candidates: [10, 30].map((freesNowBytes, index) => ({
      momentId: idOf(index),
      name: '',
      takenAt: index,
      frees: { freesNowBytes, freesLaterBytes: index },
    })),
    kept: (['person', 'pinned', 'person', 'now'] as const).map((because, index) => ({
      momentId: idOf(10 + index),
      because,
    })),
  };
  it('frees what the oldest so many free together', () => {
    expect([0, 1, 2, 9].map(count => freesOf(offer, count).freesNowBytes)).toEqual([0, 10, 30, 30]);
  });
  it('says how many stay, and why', () => {
    expect(staying(offer)).toEqual([
      ['person', 2],
      ['pinned', 1],
      ['now', 1],
    ]);
  });
  it('calls a point what it is where it has no name', () => {
    expect(pointName({ name: '', kind: 'automatic' }, en)).toBe('Automatic point');
    expect(pointName({ name: '', kind: 'manual' }, en)).toBe('Unnamed point');
    expect(pointName({ name: 'a', kind: 'automatic' }, en)).toBe('a');
  });
});
