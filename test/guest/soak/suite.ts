// `npm run -s guest -- soak [--minutes N] [--vms V] [--seed S] [--json]`: random operations over VMs whose guests are real,
// and after each of them everything that must always hold (invariants.ts). On demand: two hours unless told otherwise.
// `runs` are operations that were done.

import { PromiseSums } from '../../support/promise-sums.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { setup } from '../../support/run-folder.ts';
import { Seeded } from '../../support/seeded.ts';
import { Fleet, type Machine } from './fleet.ts';
import {
  changedFiles,
  changedPoints,
  crookedTree,
  leftLying,
  outOfRange,
  overPromised,
  wordsOf,
} from './invariants.ts';
import { chooseOperation, isRefusal } from './operations.ts';

const MINUTES = 120;
const MINUTES_QUICK = 5;
const VMS = 4;
/** As many operations apart all files of all VMs are read at rest. */
const FILES_EVERY = 25;
/** With so many found more would say no more. */
const WRONG_MAX = 20;

interface Count {
  done: number;
  refused: number;
}

class Soak {
  readonly fleet: Fleet;
  readonly violations: string[] = [];
  readonly counts = new Map<string, Count>();
  readonly #sums = new PromiseSums();

  readonly #say: SuiteOptions['say'];

  constructor(fleet: Fleet, say: SuiteOptions['say']) {
    this.fleet = fleet;
    this.#say = say;
  }

  get done(): number {
    return [...this.counts.values()].reduce((sum, { done }) => sum + done, 0);
  }

  async step(number: number): Promise<string> {
    const { fleet } = this;
    const machine = fleet.random.pick(fleet.machines);
    const [name, { run }] = await chooseOperation(fleet, machine);
    const count = this.counts.get(name) ?? { done: 0, refused: 0 };
    this.counts.set(name, count);
    const said = `${number}: ${name}, ${machine.name}`;
    try {
      await run(fleet, machine);
      count.done++;
    } catch (cause) {
      if (isRefusal(cause)) {
        count.refused++;
        this.#say(`soak: ${said}: refused: ${wordsOf(cause)}`);
      } else this.#note(said, [wordsOf(cause)]);
    }
    this.#note(said, await this.#look(machine));
    return said;
  }

  #note(said: string, wrong: readonly string[]): void {
    this.violations.push(...wrong.map(what => `${said}: ${what}`));
  }

  async #look(machine: Machine): Promise<string[]> {
    const { fleet } = this;
    const wrong: string[] = [];
    for (const { vmId, name } of fleet.machines)
      wrong.push(...crookedTree(name, await fleet.ebb.call('timeline.get', { vmId })));
    wrong.push(...(await changedPoints(fleet, machine)), ...(await outOfRange(fleet)));
    wrong.push(...overPromised(fleet, this.#sums), ...(await leftLying(fleet)));
    return wrong;
  }

  async files(said: string): Promise<void> {
    for (const machine of this.fleet.machines) this.#note(said, await changedFiles(this.fleet, machine));
  }
}

async function soak(fleet: Fleet, minutes: number, say: SuiteOptions['say']): Promise<Soak> {
  const made = new Soak(fleet, say);
  const until = performance.now() + minutes * 60_000;
  for (let number = 1; performance.now() < until && made.violations.length < WRONG_MAX; number++) {
    const said = await made.step(number);
    if (number % FILES_EVERY !== 0) continue;
    await made.files(said);
    say(`soak: ${made.violations.length} wrong after ${said}`);
  }
  await made.files('at the end');
  return made;
}

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const minutes = Number(options.minutes ?? (quick ? MINUTES_QUICK : MINUTES));
  const end = setup();
  const fleet = await Fleet.start(Number(options.vms ?? VMS), new Seeded(seed));
  try {
    const { done, violations, counts } = await soak(fleet, minutes, say);
    const told = [...counts].map(([operation, count]) => ({ operation, ...count }));
    return { runs: done, violations, switchOffs: [], told };
  } finally {
    await fleet.ebb.dispose();
    end();
  }
}
