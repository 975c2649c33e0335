// Where paused work waits: between pieces, at the edges of a stretch, and never when it is cancelled.
import { expect, it } from 'vitest';
import { looseRun, turns } from '../../../support/loose-run.ts';

it('work waits between its pieces while it is paused, and goes on when it is told to', async () => {
  const { gate } = looseRun();
  const done: number[] = [];
  const whole = gate.pausable(async () => {
    for (let piece = 0; piece < 4; piece++) {
      await gate.passed();
      done.push(piece);
      if (piece === 1) gate.set(true);
    }
  });
  await turns();
  expect(done).toEqual([0, 1]);
  // Told twice in one breath it still waits.
  gate.set(false);
  gate.set(true);
  await turns();
  expect(done).toEqual([0, 1]);
  gate.set(false);
  await whole;
  expect(done).toEqual([0, 1, 2, 3]);
});

it('a stretch is neither begun nor left while it is paused, and only in it can it be', async () => {
  const { gate } = looseRun();
  let end = (): void => undefined;
  let isLeft = false;
  expect(gate.canPause).toBe(false);
  gate.set(true);
  const begun: string[] = [];
  const whole = gate
    .pausable(() => {
      begun.push('begun');
      return new Promise<void>(resolve => (end = resolve));
    })
    .then(() => (isLeft = true));
  await turns();
  expect([begun, gate.canPause]).toEqual([[], true]);
  gate.set(false);
  await turns();
  expect(begun).toEqual(['begun']);
  gate.set(true);
  end();
  await turns();
  expect([isLeft, gate.canPause]).toEqual([false, true]);
  gate.set(false);
  await whole;
  expect(gate.canPause).toBe(false);
});

it('cancelled while it is paused it ends at once; so does whatever waits afterwards', async () => {
  const { gate, abort } = looseRun();
  gate.set(true);
  const waiting = gate.pausable(() => Promise.resolve('never'));
  await turns();
  abort.abort(new Error('cancelled'));
  await expect(waiting).rejects.toThrow('cancelled');
  await expect(gate.passed()).rejects.toThrow('cancelled');
  gate.set(false);
  gate.set(true);
  await expect(gate.passed()).rejects.toThrow('cancelled');
  expect(gate.canPause).toBe(false);
});

it('what runs beside the work hears of every change, until it no longer follows', () => {
  const { gate } = looseRun();
  const heard: boolean[] = [];
  const unfollow = gate.follow(isPaused => heard.push(isPaused));
  for (const isPaused of [true, true, false]) gate.set(isPaused);
  unfollow();
  gate.set(true);
  expect(heard).toEqual([true, false]);
});
