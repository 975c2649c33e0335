import { describe, expect, it } from 'vitest';
import { neverIn, runStorageSim, SWITCHED_OFF } from './run.ts';
import { SWITCH_OFF_SEEDS } from './seeds.ts';

const SEED = 20261123;
const CRASHES = 3000;
describe('the engine, its host dying at any call', () => {
  it(`T3, T4, T5, T6, T7, T8, T10, T11, T12, T17, T18: nothing is wrong in ${CRASHES} crashes, before recovery and after`, async () => {
    console.info(`storage sim: seed ${SEED}, ${CRASHES} crashes; npm run sim -- storage runs 20000`);
    const { violations, runs, during } = await runStorageSim({ seed: SEED, crashes: CRASHES });
    expect(violations).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(CRASHES);
    expect(neverIn(during)).toEqual([]);
    expect(during.refusal).toBeGreaterThan(20);
  }, 400_000);

  // DESIGN §9: a mechanism that nothing misses is decoration, or its test is.
  it.each(SWITCHED_OFF)(
    'is found to be wrong without %s',
    async name => {
      const { violations } = await runStorageSim({
        seed: SWITCH_OFF_SEEDS[name] ?? SEED,
        crashes: 6000,
        switchOff: { [name]: true },
        firstOnly: true,
      });
      expect(violations.length).toBeGreaterThan(0);
    },
    400_000,
  );
});
