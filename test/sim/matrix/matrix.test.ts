import { describe, expect, it } from 'vitest';
import { Seeded } from '../../support/seeded.ts';
import { isLook } from '../programs/calls.ts';
import { chosen, isSharing, runMatrix, runScenario, strikeable } from './run.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { tableOf } from './table.ts';

/** Two small disks. */
const SEED = 8;
/** One in so many calls of recoveries is struck; npm run sim -- matrix strikes all of them. */
const RECOVERY_EVERY = 700;
/** How many of the calls that do the same to the same file are struck; there all are. */
const PER_STEP = 3;

describe('every step of every operation meets every fate', () => {
  it('T3–T8, T10–T12, T14, T16: death, a full disk, a failing one and a short write, at each call and in recoveries', async () => {
    const options = { seed: SEED, recoveryEvery: RECOVERY_EVERY, perStep: PER_STEP, sharedOnly: true };
    const results = await runMatrix(options);
    console.info(tableOf(results));
    const violations = results.flatMap(({ violations }) => violations);
    expect(violations).toEqual([]);
    expect(results.map(({ name }) => name)).toEqual(SCENARIOS.map(({ name }) => name));
    for (const [index, { name, steps, runs }] of results.entries()) {
      const calls = strikeable(SCENARIOS[index] as Scenario, steps, true);
      // No cell of the table is empty: what seems to be tried was tried.
      expect(calls.length, name).toBeGreaterThan(0);
      const struck = [...chosen(steps, calls, PER_STEP, new Seeded(SEED))].map(call => steps[call] ?? '');
      const changing = struck.filter(step => !isLook(step)).length;
      for (const fate of ['power', 'process', 'full'] as const)
        expect(runs[fate], `${name}: ${fate}`).toBe(changing);
      expect(runs.io, name).toBe(struck.length);
      const isShared = SCENARIOS[index]?.host.canClone;
      expect(new Set(struck), name).toEqual(new Set(isShared ? steps.filter(isSharing) : steps));
      if (struck.some(step => step.startsWith('write'))) expect(runs.short, name).toBeGreaterThan(0);
    }
  }, 600_000);

  // DESIGN §9: without these mechanisms the matrix must find something, or it would find nothing at all.
  it.each([
    ['createSync', 'create', SEED, 0],
    ['shareSync', 'clone', SEED, 0],
    ['createSync', 'clone', SEED, 0],
    ['createFolderSync', 'clone', SEED, 0],
    ['createSync', 'rescue without the leaf', SEED, 0],
    ['createFolderSync', 'rescue without the leaf', SEED, 0],
    ['backwardBatSync', 'reversal', SEED, 0],
    ['rootHeaderSync', 'reversal', SEED, 0],
    ['mergeMapSync', 'merge of the oldest', 3, 0],
    ['undoRootSync', 'undo', SEED, 0],
    ['undoEndSync', 'undo with a larger point', SEED, 0],
    ['compactDataSync', 'compact', 7, 0],
    ['compactMapSync', 'compact', 6, 0],
    ['compactEndSync', 'compact', 1, 0],
    ['rescueUnsealSync', 'going back, then rescue', 9, 0],
    ['doubtMark', 'guest', 3, 0],
    ['doubtGuest', 'guest', 1, 0],
  ] as const)(
    'finds an engine without %s to be wrong: %s',
    async (name, scenario, seed, recoveryEvery) => {
      const options = { seed, recoveryEvery, switchOff: { [name]: true }, firstOnly: true };
      expect((await runScenario(named(scenario), options)).violations.length).toBeGreaterThan(0);
    },
    60_000,
  );

  it('finds an engine without mergeSumSync to take what a crash left for damage', async () => {
    const scenario = named('merge downwards at rest');
    const only = { name: 'read delta', fate: 'io' } as const;
    const options = { seed: 14, recoveryEvery: 1, firstOnly: true, only };
    expect((await runScenario(scenario, options)).violations).toEqual([]);
    const { violations } = await runScenario(scenario, { ...options, switchOff: { mergeSumSync: true } });
    expect(violations[0]).toContain('"kind":"map"');
  }, 60_000);

  it.each([
    ['mergeMapsBack', 8],
    ['redoSync', 20],
  ] as const)(
    'finds an engine without %s to be wrong, where it dies in a second try whose clone is refused',
    async (name, seed) => {
      const only = { name: 'write C', fate: 'io', after: 'read X' } as const;
      const options = { seed, recoveryEvery: 1, firstOnly: true, only };
      const scenario = named('merge upwards, tried again, shared');
      expect((await runScenario(scenario, options)).violations).toEqual([]);
      const found = await runScenario(scenario, { ...options, switchOff: { [name]: true } });
      expect(found.violations.length).toBeGreaterThan(0);
    },
    60_000,
  );

  it('finds an engine without doubtCache to be wrong, where it dies in what follows a sync that failed', async () => {
    const scenario = named('rescue of an edge being turned, shared');
    const only = { name: 'sync leaf', fate: 'io', after: 'rename run file' } as const;
    const options = { seed: 6, recoveryEvery: 1, firstOnly: true, only };
    expect((await runScenario(scenario, options)).violations).toEqual([]);
    const found = await runScenario(scenario, { ...options, switchOff: { doubtCache: true } });
    expect(found.violations.length).toBeGreaterThan(0);
  }, 60_000);

  it('T14: where the sync of a linked clone fails, the turning of its edge believes the files no more', async () => {
    const only = { name: 'sync root', fate: 'io', after: 'sync F' } as const;
    const options = { seed: 5, recoveryEvery: 1, firstOnly: true, only };
    const { violations } = await runScenario(named('clone of an edge being turned'), options);
    expect(violations).toEqual([]);
  }, 60_000);

  it('T10, T14: a block table that cannot be written names no younger block after a power cut', async () => {
    const only = { name: 'write leaf', fate: 'io', after: 'write leaf' } as const;
    const options = { seed: 4, recoveryEvery: 1, only };
    const { runs, violations } = await runScenario(named('guest, writing in a flush'), options);
    expect(violations).toEqual([]);
    expect(runs.again).toBeGreaterThan(0);
  }, 60_000);

  it.each([
    ['compactRoomSync', 'compact', 1, 'sync root'],
    ['redoSync', 'merge at rest', 12, 'sync C'],
    ['rescueSync', 'rescue without the leaf', 4, 'sync folder'],
  ] as const)(
    'finds an engine without %s to be wrong, where it dies in a %s with a map in the page cache alone',
    async (name, scenario, seed, step) => {
      const only = { name: step, fate: 'process' } as const;
      const options = { seed, recoveryEvery: 1, switchOff: { [name]: true }, firstOnly: true, only };
      expect((await runScenario(named(scenario), options)).violations.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

function named(name: string): Scenario {
  const found = SCENARIOS.find(row => row.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}
