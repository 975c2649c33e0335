// Crashes by the thousand: universes of some crashes each until there are as many as asked for.
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { inChunks } from '../parallel.ts';
import { Universe } from './universe.ts';

export interface UniversesOptions {
  readonly seed: number;
  readonly switchOff?: SwitchOffs;
  /** Of each power cut, so many other outcomes: cheaper crashes than ones at other instants, and less telling. */
  readonly alternatives?: number;
  /** Ends at the first violation: enough to see that a switched-off mechanism is missed. */
  readonly firstOnly?: boolean;
}
export interface StorageSimOptions extends UniversesOptions {
  readonly crashes: number;
  /** On all cores; a universe is the same on any. */
  readonly parallel?: boolean;
}

export interface StorageSimResult {
  /** Crashes lived through and checked. */
  readonly runs: number;
  readonly violations: string[];
  /** Crashes by what was under way. */
  readonly during: Readonly<Record<string, number>>;
}

const STEPS = 160;
const DEATHS = 6;
const CHUNK = 20;

/** Universes `first` to `first + count`, each with a seed of its own. */
export async function runUniverses(
  { seed, switchOff, alternatives = 0, firstOnly }: UniversesOptions,
  first: number,
  count: number,
): Promise<StorageSimResult> {
  const found: StorageSimResult[] = [];
  for (let number = first; number < first + count; number++) {
    const off = switchOff === undefined ? {} : { switchOff };
    const universe = new Universe({
      seed: seed + number,
      steps: STEPS,
      deaths: DEATHS,
      alternatives,
      ...off,
    });
    await universe.run();
    const during = Object.fromEntries(universe.during);
    found.push({ runs: Math.max(1, universe.crashes), violations: universe.violations, during });
    if (firstOnly === true && universe.violations.length > 0) break;
  }
  return joined(found);
}

export async function runStorageSim(options: StorageSimOptions): Promise<StorageSimResult> {
  const isEnough = (results: readonly StorageSimResult[]): boolean => {
    const { runs, violations } = joined(results);
    return runs >= options.crashes || (options.firstOnly === true && violations.length > 0);
  };
  if (options.parallel === true) {
    const { crashes: _, parallel: __, ...data } = options;
    const module = new URL('./worker.ts', import.meta.url);
    return joined(await inChunks<StorageSimResult>({ module, data, chunk: CHUNK, isEnough }));
  }
  const results: StorageSimResult[] = [];
  for (let number = 0; !isEnough(results); number++) results.push(await runUniverses(options, number, 1));
  return joined(results);
}

function joined(results: readonly StorageSimResult[]): StorageSimResult {
  const during: Record<string, number> = {};
  for (const result of results)
    for (const [kind, count] of Object.entries(result.during)) during[kind] = (during[kind] ?? 0) + count;
  return {
    runs: results.reduce((sum, { runs }) => sum + runs, 0),
    violations: results.flatMap(({ violations }) => violations),
    during,
  };
}
