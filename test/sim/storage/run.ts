// Crashes by the thousand: universes of a few crashes each until there are as many as asked for.
import type { SwitchOffs } from '../../../electron/storage/disk/switch-offs.ts';
import { Universe } from './universe.ts';

export interface StorageSimOptions {
  readonly seed: number;
  readonly crashes: number;
  readonly switchOff?: SwitchOffs;
  /** Ends at the first violation: enough to see that a switched-off mechanism is missed. */
  readonly firstOnly?: boolean;
}

export interface StorageSimResult {
  /** Crashes lived through and checked. */
  readonly runs: number;
  readonly universes: number;
  readonly violations: string[];
}

const STEPS = 160;
const CRASHES = 6;

export async function runStorageSim(options: StorageSimOptions): Promise<StorageSimResult> {
  const violations: string[] = [];
  let [runs, universes] = [0, 0];
  for (; runs < options.crashes; universes++) {
    const { switchOff } = options;
    const universe = new Universe({
      seed: options.seed + universes,
      steps: STEPS,
      crashes: CRASHES,
      ...(switchOff === undefined ? {} : { switchOff }),
    });
    await universe.run();
    runs += Math.max(1, universe.crashes);
    violations.push(...universe.violations);
    if (options.firstOnly === true && violations.length > 0) break;
  }
  return { runs, universes, violations };
}
