import { describe, expect, it } from 'vitest';
import { compare, seedsOf } from './compare.ts';
import { TUNING_SEEDS } from './scenarios.ts';

const SEEDS = '901..901';

describe('mode demand and its peers', () => {
  it('reports nothing from the seeds it was tuned on', () => {
    expect(seedsOf('1..62')).toEqual([61, 62]);
    expect(TUNING_SEEDS).toHaveLength(60);
    expect(() => seedsOf('9..1')).toThrow('--seeds');
  });

  it('M2, M3: never overdraws, and no peer that keeps its promises stalls its guests less where all fits', async () => {
    console.info(
      `memory peers: seeds ${SEEDS}, half runs; npm run sim -- memory --policies all runs 20 seeds`,
    );
    const { violations, rows } = await compare({
      seed: 0,
      quick: true,
      options: { seeds: SEEDS },
      say: () => undefined,
    });
    expect(violations).toEqual([]);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(row => row.target.startsWith('floor') && !row.met)).toEqual([]);
    // A comparison in which no policy is ever better or worse would say nothing.
    expect(new Set(rows.map(row => row.peer)).size).toBeGreaterThan(2);
  }, 120_000);
});
