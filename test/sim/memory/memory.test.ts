import { describe, expect, it } from 'vitest';
import { MEMORY_SWITCH_OFF_NAMES } from '../../../electron/control/memory/switch-offs.ts';
import { runEveryDeath, runSafety, runWithout } from './lives.ts';

const SEED = 20261124;
const RUNS = 100;
const SECONDS = 300;
const MODES = ['demand', 'proportional'] as const;
/** Seeds that soon miss a mechanism which is seldom missed. */
const SEED_OF: Readonly<Partial<Record<string, number>>> = {
  freshSample: 20262150,
  watermarks: 20262150,
  overheadJournal: 20262150,
};
const WITHOUT = MODES.flatMap(mode => MEMORY_SWITCH_OFF_NAMES.map(name => [name, mode] as const));

describe('the memory manager, among guests of every kind, dying at any step', () => {
  it.each(MODES)(
    `M2, M3, M4, M6, M9, M10: nothing is wrong in ${RUNS} lives of ${SECONDS} s, mode %s`,
    async mode => {
      console.info(`memory sim: seed ${SEED}, ${RUNS} lives; npm run sim -- memory runs 20000`);
      const { violations, deaths } = await runSafety({ seed: SEED, runs: RUNS, seconds: SECONDS, mode });
      expect(violations).toEqual([]);
      expect(deaths).toBeGreaterThan(RUNS);
    },
    120_000,
  );

  it.each(MODES)(
    'M9: nothing is wrong wherever in its journal or in a command the controller dies, mode %s',
    async mode => {
      // A tide: VMs start and stop, and nothing else happens but this one death.
      const { steps, violations } = await runEveryDeath({ seed: 12, mode, seconds: 45 });
      console.info(`memory sim: ${steps} steps, a death at each`);
      expect(violations).toEqual([]);
      expect(steps).toBeGreaterThan(200);
    },
    120_000,
  );

  // DESIGN §9: a mechanism that nothing misses is decoration, or its test is.
  it.each(WITHOUT)(
    'is found to be wrong without %s, mode %s',
    async (name, mode) => {
      const { violations } = await runWithout(name, {
        seed: SEED_OF[name] ?? SEED,
        runs: 300,
        seconds: SECONDS,
        mode,
      });
      expect(violations.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
