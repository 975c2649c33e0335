// Flips bits by the thousand: in histories of small blocks, and in some with blocks of real size.
import { Seeded } from '../../support/seeded.ts';
import { Violation } from '../storage/judge.ts';
import { choosePlace, type Fate, tryFlip } from './flip.ts';
import { makeHistory, REAL, SMALL } from './history.ts';

export interface DamageResult {
  readonly runs: number;
  readonly violations: string[];
  /** How many flips ended so, by region and fate. */
  readonly fates: Record<string, number>;
}

/** Flips in one history. Of these one in `REAL_EVERY` has blocks of real size: they are large. */
export const FLIPS = 50;
const REAL_EVERY = 8;

/** Seeds `seed`, `seed` + 1, …: one history and fifty flips each. */
export async function runDamage(seed: number, flips: number): Promise<DamageResult> {
  const violations: string[] = [];
  const fates: Record<string, number> = {};
  let runs = 0;
  for (let own = seed; runs < flips; own++) {
    const random = new Seeded(own);
    const history = await makeHistory(own, own % REAL_EVERY === 0 ? REAL : random.pick(SMALL));
    for (let flip = 0; flip < FLIPS && runs < flips; flip++, runs++) {
      const place = choosePlace(history, random);
      try {
        const fate: Fate = await tryFlip(history, place);
        const name = `${place.region}: ${fate}`;
        fates[name] = (fates[name] ?? 0) + 1;
      } catch (cause) {
        const what =
          cause instanceof Violation ? cause.message : cause instanceof Error ? cause.stack : cause;
        violations.push(`seed ${own}, flip ${flip}: ${what}`);
      }
    }
  }
  return { runs, violations, fates };
}
