// Lists the parts of a VM's setup that were otherwise at a point than now, in a few words each. Pure.
import { type ConfigurationKey, configurationDifferences } from '../../shared/configuration.ts';
import type { Moment } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import type { Dictionary } from '../i18n/en.ts';
import { formatKib } from './format.ts';

/** Empty: nothing differs, or the point does not know its setup. */
export function setupDifferences(
  moment: Moment,
  { spec }: VmSummary,
  text: Dictionary,
  language: string,
): string[] {
  const then = moment.extras?.configuration;
  if (then === undefined) return [];
  const words = text.moments.setUpParts;
  const memory = words.memory(formatKib(then.minKib, language), formatKib(then.maxKib, language));
  const told: Readonly<Record<ConfigurationKey, string>> = {
    cpus: words.cpus(then.cpus),
    minKib: memory,
    maxKib: memory,
    weight: words.balance,
    balanced: words.balance,
    balloon: words.balance,
    network: words.networks[then.network],
    portForwards: words.forwards(then.portForwards.length),
    firmware: text.setup.machine.firmwares[then.firmware],
    hasTpm: words.tpm(then.hasTpm),
    devices: words.machine,
    machineType: words.machine,
  };
  return [...new Set(configurationDifferences(then, spec).map(key => told[key]))];
}
