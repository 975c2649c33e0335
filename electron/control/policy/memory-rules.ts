// The memory of all VMs under policy: what is in force of what people set, and what they may set. Pure.
import type { PolicyValue } from '../../../shared/policy/report.ts';
import { Fault } from '../../../shared/result.ts';
import { floorMib } from '../../../shared/units.ts';
import { defaultReserveKib, type MemoryPolicy } from '../memory/budget.ts';
import type { StoredMemoryPolicy } from '../store/catalog.ts';
import { denied, type Policy } from './policy.ts';
import type { UserValues } from './resolve.ts';

const MODES = { need: 'demand', ratio: 'proportional' } as const;
const KEYS = {
  reserveKib: 'memory.host.reserve',
  budgetKib: 'memory.host.budget',
  capKib: 'memory.vm.max',
  mode: 'memory.mode',
} as const satisfies Readonly<Record<keyof StoredMemoryPolicy, keyof UserValues>>;
type Change = Partial<StoredMemoryPolicy>;

const said = (name: keyof typeof KEYS, value: Change[keyof Change]): PolicyValue =>
  name === 'mode' ? (value === 'proportional' ? 'ratio' : 'need') : (value ?? null);

const namesOf = (change: Change): (keyof typeof KEYS)[] =>
  (Object.keys(KEYS) as (keyof typeof KEYS)[]).filter(name => change[name] !== undefined);

/** What people set, in the words of the policy. */
export const userValues = (stored: Change): UserValues =>
  Object.fromEntries(namesOf(stored).map(name => [KEYS[name], said(name, stored[name])]));

export const builtIn = (totalKib: number): UserValues => ({
  'memory.host.reserve': defaultReserveKib(totalKib),
  'memory.host.budget': null,
  'memory.vm.max': null,
  'memory.mode': 'need',
});

/** The memory policy in force. A reserve meant for larger computers leaves this one's VMs a quarter (M10). */
export function memoryPolicyOf({ keys }: Policy, totalKib: number): MemoryPolicy {
  const amount = (key: 'memory.host.reserve' | 'memory.host.budget' | 'memory.vm.max'): number | null => {
    const { value } = keys[key];
    return typeof value === 'number' ? value : null;
  };
  const reserveKib = amount('memory.host.reserve') ?? defaultReserveKib(totalKib);
  return {
    mode: MODES[keys['memory.mode'].value as 'need'] ?? 'demand',
    reserveKib: Math.min(reserveKib, floorMib((totalKib / 4) * 3)),
    budgetKib: amount('memory.host.budget'),
    capKib: amount('memory.vm.max'),
  };
}

/** Faults: policy.denied. */
export function requireMemoryChange(policy: Policy, change: Change): void {
  for (const name of namesOf(change)) {
    const key = KEYS[name];
    const value = said(name, change[name]);
    const found = policy.keys[key];
    if (found.valueBy !== null && value !== found.value)
      throw denied(found, 'its value is set for this computer', found.valueBy);
    if (key === 'memory.mode') {
      const { allowed } = found;
      if (allowed !== null && !allowed.is.includes(String(value)))
        throw denied(found, `${String(value)} is not allowed`, allowed.by);
    } else if (typeof value === 'number') policy.requireWithin(key, value);
  }
}

export const isDenial = (cause: unknown): boolean =>
  cause instanceof Fault && cause.body.code === 'policy.denied';
