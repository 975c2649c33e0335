import { expect, it } from 'vitest';
import { nearest } from '../../../../renderer/view/memory-spans.ts';

it('a press means the nearest tick, and none where none is near', () => {
  const ticks = [{ at: 10 }, { at: 20 }, { at: 21 }];
  expect(nearest(ticks, 19, 5)).toBe(ticks[1]);
  expect(nearest(ticks, 30, 9)).toBe(ticks[2]);
  expect(nearest(ticks, 30, 8)).toBeNull();
  expect(nearest([], 0, 100)).toBeNull();
});
