// Runs programs by the thousand, each from a seed of its own. fast-check makes a program that finds something
// smaller, and the violation tells how to run it again.
import * as fc from 'fast-check';
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { Fault } from '../../../shared/result.ts';
import { Violation } from '../storage/judge.ts';
import { Life } from './life.ts';
import { type Program, programs } from './operations.ts';

export interface ProgramsResult {
  readonly runs: number;
  readonly violations: string[];
  /** How often there was too little room for something to begin (T14). */
  readonly refusals: number;
}

interface Tally {
  refusals: number;
}

const textOf = (cause: unknown): string =>
  cause instanceof Violation || cause instanceof Fault
    ? cause.message
    : cause instanceof Error
      ? (cause.stack ?? cause.message)
      : String(cause);

/** Null: everything was as it must be. Else what was wrong, as a sentence. */
export async function runProgram(
  program: Program,
  switchOff: SwitchOffs = {},
  tally: Tally = { refusals: 0 },
): Promise<string | null> {
  const life = new Life(program.schedule, switchOff);
  try {
    await life.run(program);
    return null;
  } catch (cause) {
    return `at ${life.done.length} (${life.done.at(-1)}): ${textOf(cause)}`;
  } finally {
    tally.refusals += life.machine.refusals;
  }
}

/** Seeds `seed`, `seed` + 1, …: one program each. */
export async function runPrograms(seed: number, count: number): Promise<ProgramsResult> {
  const violations: string[] = [];
  const tally = { refusals: 0 };
  for (let index = 0; index < count; index++) {
    const found = await runSeed(seed + index, tally);
    if (found !== null) violations.push(found);
  }
  return { runs: count, violations, ...tally };
}

/** Runs the program of one seed, and makes it smaller where it finds something. Null: it found nothing. */
async function runSeed(seed: number, tally: Tally): Promise<string | null> {
  const found = await counterexample(seed, {}, false, tally);
  if (found === null) return null;
  return [
    `seed ${seed}: ${await runProgram(found)}`,
    `  minimal: npm run -s sim -- programs --program '${JSON.stringify(found)}'`,
    `  replay: npm run -s sim -- programs --seed ${seed} --programs 1 --json`,
  ].join('\n');
}

async function counterexample(
  seed: number,
  switchOff: SwitchOffs,
  endOnFailure: boolean,
  tally?: Tally,
): Promise<Program | null> {
  const property = fc.asyncProperty(programs, async program => {
    const wrong = await runProgram(program, switchOff, tally);
    if (wrong !== null) throw new Violation(wrong);
  });
  const details = await fc.check(property, { seed, numRuns: 1, endOnFailure });
  return details.failed ? (details.counterexample?.[0] ?? null) : null;
}

/** How many programs it takes to miss a mechanism that is switched off; null where `most` do not. */
export async function missedAfter(seed: number, most: number, switchOff: SwitchOffs): Promise<number | null> {
  for (let index = 0; index < most; index++)
    if ((await counterexample(seed + index, switchOff, true)) !== null) return index + 1;
  return null;
}
