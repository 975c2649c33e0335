import { describe, expect, it } from 'vitest';
import { SWITCH_OFF_NAMES } from '../../../electron/storage/disk/switch-offs.ts';
import { runStorageSim } from './run.ts';

const SEED = 20261123;
const CRASHES = 1500;

describe('the engine, its host dying at any call', () => {
  it(`T3, T4, T5, T6, T7, T8, T10, T11, T12, T17, T18: nothing is wrong in ${CRASHES} crashes, before recovery and after`, async () => {
    console.info(`storage sim: seed ${SEED}, ${CRASHES} crashes; npm run sim -- storage runs 20000`);
    const { violations, runs } = await runStorageSim({ seed: SEED, crashes: CRASHES });
    expect(violations).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(CRASHES);
  }, 120_000);

  // DESIGN §9: a mechanism nobody misses is decoration, or its test is.
  it.each(SWITCH_OFF_NAMES)(
    'is found to be wrong without %s',
    async name => {
      const { violations } = await runStorageSim({
        seed: SEED,
        crashes: 6000,
        switchOff: { [name]: true },
        firstOnly: true,
      });
      expect(violations.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
