// M10 under IT policy, and clients from elsewhere: a few lives of `sim -- access`; then each place that
// enforces the bounds is switched off and must be missed.
import { expect, it } from 'vitest';
import { ROLES } from '../../../shared/roles.ts';
import { runLife, runMatrix } from './lives.ts';
import { METHODS } from './people.ts';
import { ACCESS_SWITCH_OFFS } from './world.ts';

const STEPS = 60;

it.each([1, 2, 3, 4, 5, 6])(
  'life %i reaches no state outside the bounds, and does and is refused something',
  async seed => {
    const { violations, accepted, refused, tried } = await runLife(seed, STEPS);
    expect(violations).toEqual([]);
    expect(Math.min(accepted, refused, tried)).toBeGreaterThan(0);
  },
);

it('each role may call what the table says over the wire, by a token and by a link', async () => {
  const { cells, violations } = await runMatrix();
  expect(violations).toEqual([]);
  expect(cells).toBe(METHODS.length * ROLES.length * 2);
});

it.each(ACCESS_SWITCH_OFFS)('without %s something is outside', async name => {
  let found = 0;
  for (let seed = 1; seed <= 40 && found === 0; seed++)
    found = (await runLife(seed, STEPS, name)).violations.length;
  expect(found).toBeGreaterThan(0);
});
