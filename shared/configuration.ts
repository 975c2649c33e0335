// What of a VM's setup a moment remembers and going back can restore: its machine and its share of memory. Its name, notes,
// group, disks and autostart are the present's.
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

/** What is otherwise in `then` than in `now`; a machine that was not pinned yet is no other. */
export const configurationDifferences = (then: Configuration, now: Configuration): ConfigurationKey[] =>
  (Object.keys(KEYS) as ConfigurationKey[]).filter(
    key =>
      !(key === 'machineType' && then.machineType === null) &&
      JSON.stringify(then[key]) !== JSON.stringify(now[key]),
  );
