import { describe, expect, it } from 'vitest';
import { runDamage } from './run.ts';

const SEED = 20261127;
const FLIPS = 500;

describe('a bit turned over', () => {
  it(`T4, T12: is found and named, or harmless, and touches nobody who does not read it, in ${FLIPS} flips`, async () => {
    const { violations, fates } = await runDamage(SEED, FLIPS);
    console.info(`damage: seed ${SEED}, ${JSON.stringify(fates)}; npm run sim -- damage flips 10000`);
    expect(violations).toEqual([]);
    // A kind of place where nothing was ever found would show nothing.
    for (const found of [
      'headers: refused',
      'map: refused',
      'page: found by verify',
      'data: found by verify',
    ])
      expect(fates[found], found).toBeGreaterThan(0);
  }, 240_000);
});
