import fc from 'fast-check';
import { describe, it } from 'vitest';
import { NEIGHBOURS } from './neighbours.ts';

const RUNS = 100;

describe('neighbours', () => {
  it(NEIGHBOURS.title, async () => {
    console.info(`memory neighbours: ${RUNS} laptops; npm run sim -- memory runs 1000`);
    await fc.assert(NEIGHBOURS.property, { numRuns: RUNS, endOnFailure: true });
  }, 120_000);
});
