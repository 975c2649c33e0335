// Runs universes, each with some crashes, until there are as many crashes as asked for.
import { SWITCH_OFF_NAMES, type SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { inParallel, serveShares } from '../../support/in-parallel.ts';
import { Universe } from './universe.ts';

/**
 * Mechanisms that universes cannot miss: they begin with their disks, are not compacted, cloned or rescued,
 * seldom merge at rest, and turn an edge again that was turned back. test/sim/matrix tests these,
 * rescue-cuts.test.ts in test/unit/storage/disk the database that a rescue replaces, and shrunk.test.ts
 * beside it what a smaller root held behind its end.
 */
const ELSEWHERE =
  /^(?:createSync|shrinkZeroSync|mergeSumSync|redoSync|mergeMapsBack|undoEndSync|compact.*|share.*|rescue.*)$/;
export const SWITCHED_OFF = SWITCH_OFF_NAMES.filter(name => !ELSEWHERE.test(name));

export interface UniversesOptions {
  readonly seed: number;
  readonly switchOff?: SwitchOffs;
  /** How many other outcomes of each power cut are checked: cheaper than other crashes, less telling. */
  readonly alternatives?: number;
  /** Ends at the first violation, which is enough to see that a switched-off mechanism is missed. */
  readonly firstOnly?: boolean;
}
export interface StorageSimOptions extends UniversesOptions {
  readonly crashes: number;
}

export interface StorageSimResult {
  /** How many crashes were recovered from and checked. */
  readonly runs: number;
  readonly violations: string[];
  /** Number of crashes by the operation they fell in. */
  readonly during: Readonly<Record<string, number>>;
}

/** What crashes fall in, and refusals for want of room (T14). Among thousands each of them must occur. */
const KINDS = [
  'take',
  'goBack',
  'delete',
  'graft',
  'grow',
  'rest',
  'copy',
  'flip',
  'undo',
  'merge up',
  'merge down',
  'guest only',
  'recovery',
  'refusal',
];
/** The kinds that no crash fell in. */
export const neverIn = (during: StorageSimResult['during']): string[] =>
  KINDS.filter(kind => during[kind] === undefined);

const STEPS = 160;
const DEATHS = 6;
/** In crashes. */
const TELL_EVERY = 10_000;
const SHARE = 20;

/** Runs universes `first` to `first + count`, each with a seed of its own. */
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

/** Runs one universe after another until there are crashes enough. */
export async function runStorageSim({ crashes, ...options }: StorageSimOptions): Promise<StorageSimResult> {
  let all = joined([]);
  for (let number = 0; !isEnough(all, crashes, options); number++)
    all = joined([all, await runUniverses(options, number, 1)]);
  return all;
}

/** The same on all cores, with a few universes more. Every 10,000 crashes `told` hears the next seed. */
export async function runStorageSimInParallel(
  { crashes, ...options }: StorageSimOptions,
  told: (all: StorageSimResult, nextSeed: number) => void = () => undefined,
): Promise<StorageSimResult> {
  let [all, nextSeed] = [joined([]), options.seed];
  const work = { seed: options.seed, count: Number.POSITIVE_INFINITY, share: SHARE, data: options };
  await inParallel<StorageSimResult>(import.meta.url, work, result => {
    const before = all.runs;
    all = joined([all, result]);
    nextSeed += SHARE;
    if (Math.floor(all.runs / TELL_EVERY) > Math.floor(before / TELL_EVERY)) told(all, nextSeed);
    return isEnough(all, crashes, options);
  });
  return all;
}

const isEnough = (
  { runs, violations }: StorageSimResult,
  crashes: number,
  { firstOnly }: UniversesOptions,
): boolean => runs >= crashes || (firstOnly === true && violations.length > 0);

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

serveShares<StorageSimResult, UniversesOptions>(({ seed, count }, options) =>
  runUniverses({ ...options, seed }, 0, count),
);
