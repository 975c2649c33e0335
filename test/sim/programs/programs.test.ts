import { describe, expect, it } from 'vitest';
import { missedAfter, runProgram, runPrograms } from './run.ts';

const SEED = 20261127;
const PROGRAMS = 200;

/** Programs that found something once. */
const FOUND = {
  'T8: the cost of a point while a merge renames its neighbour':
    '{"schedule":2145386488,"operations":[{"do":"take"},{"do":"goBack","which":0},{"do":"goBack","which":0},{"do":"write","disk":1,"at":0,"sectors":1,"isSame":false},{"do":"reopen"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"write","disk":0,"at":76,"sectors":53,"isSame":false},{"do":"delete","which":3},{"do":"full","bytes":19456},{"do":"take"},{"do":"purge","which":0,"isAll":false},{"do":"purge","which":0,"isAll":false},{"do":"goBack","which":0},{"do":"delete","which":0},{"do":"delete","which":0},{"do":"purge","which":0,"isAll":false}]}',
};

describe('programs of fifty operations on the engine', () => {
  it(`T4, T6, T7, T8, T10, T11, T14: ${PROGRAMS} of them do what the oracle says, to the byte, after every operation`, async () => {
    console.info(`programs: seed ${SEED}, ${PROGRAMS} programs; npm run sim -- programs runs 20000`);
    const { violations, refusals } = await runPrograms(SEED, PROGRAMS);
    expect(violations).toEqual([]);
    expect(refusals).toBeGreaterThan(20);
  }, 600_000);

  it.each(Object.entries(FOUND))('%s', async (_, program) => {
    expect(await runProgram(JSON.parse(program))).toBeNull();
  });

  // DESIGN §9: a check that cannot fail checks nothing. Crash by crash all of them are missed in test/sim/storage.
  it.each(['runFile', 'leafMapSync'] as const)(
    'finds an engine without %s to be wrong',
    async name => {
      expect(await missedAfter(SEED, 2000, { [name]: true })).not.toBeNull();
    },
    400_000,
  );
});
