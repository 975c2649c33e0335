// The part of a VM's setup that a moment remembers and going back can restore: its machine and its share of
// memory. Name, notes, group, disks and autostart are not part of it: going back leaves them as they are.
import type * as z from 'zod';
import { vmSpecSchema } from './vm.ts';

const KEYS = {
  cpus: true,
  minKib: true,
  maxKib: true,
  weight: true,
  balanced: true,
  balloon: true,
  network: true,
  portForwards: true,
  firmware: true,
  hasTpm: true,
  devices: true,
  machineType: true,
} as const;
export const configurationSchema = vmSpecSchema.pick(KEYS);
export type Configuration = Readonly<z.infer<typeof configurationSchema>>;
export type ConfigurationKey = keyof typeof KEYS;

export const configurationOf = (spec: Configuration): Configuration => {
  const { cpus, minKib, maxKib, weight, balanced, balloon } = spec;
  const { network, portForwards, firmware, hasTpm, devices, machineType } = spec;
  const memory = { minKib, maxKib, weight, balanced, balloon };
  return { cpus, ...memory, network, portForwards, firmware, hasTpm, devices, machineType };
};

/** The keys in which `then` differs from `now`. A machine type not yet pinned then counts as the same. */
export const configurationDifferences = (then: Configuration, now: Configuration): ConfigurationKey[] =>
  (Object.keys(KEYS) as ConfigurationKey[]).filter(
    key =>
      !(key === 'machineType' && then.machineType === null) &&
      JSON.stringify(then[key]) !== JSON.stringify(now[key]),
  );
