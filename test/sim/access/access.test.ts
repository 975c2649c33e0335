// M10 under IT policy: a few lives of `sim -- access`, and each place that enforces the bounds missed where it is off.
import { expect, it } from 'vitest';
import { runLife } from './lives.ts';
import { ACCESS_SWITCH_OFFS } from './world.ts';

const STEPS = 60;

it.each([1, 2, 3, 4, 5, 6])(
  'life %i reaches no state outside the bounds, and does and is refused something',
  async seed => {
    const { violations, accepted, refused } = await runLife(seed, STEPS);
    expect(violations).toEqual([]);
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  },
);

it.each(ACCESS_SWITCH_OFFS)('without %s something is outside', async name => {
  let found = 0;
  for (let seed = 1; seed <= 40 && found === 0; seed++)
    found = (await runLife(seed, STEPS, name)).violations.length;
  expect(found).toBeGreaterThan(0);
});
