import fc from 'fast-check';
import { describe, it } from 'vitest';
import { MEMORY_PROPERTIES } from '../../support/memory-properties.ts';

const MODELS = 5000;

describe('the planner, over models drawn at random', () => {
  it.each(MEMORY_PROPERTIES)(
    '$title',
    ({ property }) => {
      fc.assert(property, { numRuns: MODELS, endOnFailure: true });
    },
    120_000,
  );
});
