import { describe, expect, it } from 'vitest';
import { missedAfter, runProgram, runPrograms } from './run.ts';

const SEED = 20261127;
const PROGRAMS = 200;

/** Programs that once found a mistake. */
const FOUND = {
  'T8: the cost of a point while a merge renames its neighbour':
    '{"schedule":2145386488,"operations":[{"do":"take"},{"do":"goBack","which":0},{"do":"goBack","which":0},{"do":"write","disk":1,"at":0,"sectors":1,"isSame":false},{"do":"reopen"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"write","disk":0,"at":76,"sectors":53,"isSame":false},{"do":"delete","which":3},{"do":"full","bytes":19456},{"do":"take"},{"do":"purge","which":0,"isAll":false},{"do":"purge","which":0,"isAll":false},{"do":"goBack","which":0},{"do":"delete","which":0},{"do":"delete","which":0},{"do":"purge","which":0,"isAll":false}]}',
  'T5: of two leaves that a power cut left, a rescue without names takes the one that was written to':
    '{"schedule":0,"operations":[{"do":"full","bytes":1080868,"isTold":true},{"do":"take"},{"do":"step","count":1},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"reopen"},{"do":"die","kind":"power","calls":0,"at":""},{"do":"write","disk":0,"at":0,"sectors":9,"isSame":false},{"do":"goBack","which":3},{"do":"goBack","which":0},{"do":"write","disk":0,"at":0,"sectors":9,"isSame":false},{"do":"update","which":0},{"do":"graft","which":0,"at":0,"sectors":1,"isGivenUp":false},{"do":"rescue","after":"power","isNameless":false,"isLeafLost":false},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"rescue","after":"close","isNameless":true,"isLeafLost":false}]}',
  'T5: a leaf that a full disk kept is one to its header, too':
    '{"schedule":0,"operations":[{"do":"write","disk":0,"at":0,"sectors":41,"isSame":false},{"do":"write","disk":0,"at":704,"sectors":1,"isSame":false},{"do":"write","disk":0,"at":59,"sectors":6,"isSame":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"goBack","which":0},{"do":"delete","which":0},{"do":"zero","disk":0,"at":0,"sectors":1},{"do":"take"},{"do":"take"},{"do":"pause"},{"do":"take"},{"do":"full","bytes":0,"isTold":true},{"do":"delete","which":0},{"do":"reopen"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"full","bytes":67108864,"isTold":true},{"do":"goBack","which":0},{"do":"rescue","after":"close","isNameless":true,"isLeafLost":false}]}',
  'T12: a point that lost its end to a merge nobody remembers gets it again':
    '{"schedule":472045721,"operations":[{"do":"take"},{"do":"flush","disk":0},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"goBack","which":0},{"do":"flush","disk":0},{"do":"goBack","which":3},{"do":"take"},{"do":"graft","which":0,"at":0,"sectors":1,"isGivenUp":false},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"grow","disk":0,"more":0},{"do":"rescue","after":"process","isNameless":false,"isLeafLost":false},{"do":"take"},{"do":"pause"},{"do":"goBack","which":0},{"do":"rescue","after":"power","isNameless":true,"isLeafLost":false}]}',
  'T12: what the disk refused to seal at the opening is sealed at the end':
    '{"schedule":984539841,"operations":[{"do":"undo"},{"do":"full","bytes":67108864,"isTold":true},{"do":"zero","disk":0,"at":0,"sectors":1},{"do":"die","kind":"process","calls":0,"at":""},{"do":"resume"},{"do":"write","disk":0,"at":63,"sectors":2,"isSame":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"compact","isStopping":false},{"do":"delete","which":0},{"do":"purge","which":0,"isAll":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"reopen"},{"do":"goBack","which":0},{"do":"fail","what":"write","after":8},{"do":"write","disk":0,"at":8,"sectors":1,"isSame":false},{"do":"full","bytes":0,"isTold":true},{"do":"compact","isStopping":false},{"do":"rescue","after":"power","isNameless":false,"isLeafLost":false}]}',
  'T5: what one went back from is no leaf to the headers':
    '{"schedule":10,"operations":[{"do":"write","disk":0,"at":30,"sectors":3,"isSame":false},{"do":"take"},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"compact","isStopping":false},{"do":"settle"},{"do":"undo"},{"do":"goBack","which":0},{"do":"write","disk":0,"at":0,"sectors":1,"isSame":false},{"do":"clone","which":0,"at":0},{"do":"take"},{"do":"reopen"},{"do":"graft","which":0,"at":3,"sectors":1,"isGivenUp":false},{"do":"full","bytes":67108864,"isTold":true},{"do":"goBack","which":7},{"do":"rescue","after":"power","isNameless":true,"isLeafLost":false}]}',
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

  // DESIGN §9: a check that cannot fail checks nothing. test/sim/storage switches all mechanisms off, crash
  // by crash.
  it.each(['runFile', 'leafMapSync'] as const)(
    'finds an engine without %s to be wrong',
    async name => {
      expect(await missedAfter(SEED, 2000, { [name]: true })).not.toBeNull();
    },
    400_000,
  );
});
