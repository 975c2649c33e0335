// What people look at weighs twice as much, and less and less of that for a minute after.
import { beforeEach, expect, it } from 'vitest';
import { Focus } from '../../../../electron/control/memory/focus.ts';
import { uuid } from '../../../support/memory-world.ts';

const [work, play] = [uuid(1), uuid(2)];
let focus: Focus;
beforeEach(() => {
  focus = new Focus();
});

it('one VM for each connection; the one it left fades', () => {
  expect(focus.look(1, work, 0)).toBe(true);
  expect(focus.look(1, work, 500)).toBe(false);
  expect([focus.weigh(work, 100, 0), focus.weigh(play, 100, 0)]).toEqual([200, 100]);
  expect(focus.look(1, play, 1000)).toBe(true);
  expect(focus.weigh(play, 33, 1000)).toBe(66);
  expect([1000, 16_000, 31_000, 61_000, 1e9].map(at => focus.weigh(work, 100, at))).toEqual([
    200, 175, 150, 100, 100,
  ]);
});

it('it stays so while another connection looks at it, and is forgotten with its VM', () => {
  focus.look(1, work, 0);
  focus.look(2, work, 0);
  focus.look(1, null, 1000);
  expect(focus.weigh(work, 100, 100_000)).toBe(200);
  focus.look(2, null, 100_000);
  expect(focus.weigh(work, 100, 100_000)).toBe(200);
  focus.forget(work);
  expect(focus.weigh(work, 100, 100_000)).toBe(100);
});
