// The real engine on a device that forgets (DESIGN §9). The whole count: npm run -s sim -- storage --crashes N.
import { describe, expect, it } from 'vitest';
import { SWITCH_OFF_NAMES } from '../../../electron/storage/disk/switch-offs.ts';
import { runStorageSim } from './run.ts';

const SEED = 20261123;
const CRASHES = 3_000;

describe('the timeline engine under crashes', () => {
  it(`T3, T10, T11: ${CRASHES} crashes from seed ${SEED} and not one wrong sector, before recovery or after`, async () => {
    const { runs, violations } = await runStorageSim({ seed: SEED, crashes: CRASHES });
    console.log(
      `storage: seed ${SEED}, ${runs} crashes (the full count is 1,000,000), ${violations.length} violations`,
    );
    expect(violations.slice(0, 5)).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(CRASHES);
  }, 300_000);

  it.each(SWITCH_OFF_NAMES)(
    'T3, T10, T11: without %s the same simulation finds damage',
    async name => {
      const { runs, violations } = await runStorageSim({
        seed: SEED,
        crashes: 5_000,
        switchOff: { [name]: true },
        firstOnly: true,
      });
      expect(violations.length, `${runs} crashes and nothing missed`).toBeGreaterThan(0);
    },
    300_000,
  );
});
