// Sets a VM up as it was at a moment, within what this host and its policy allow today. Pure.
import { type Configuration, configurationOf } from '../../../shared/configuration.ts';
import type { MemoryRange } from '../../../shared/memory.ts';
import type { Result } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Policy } from '../policy/policy.ts';
import { boundSpec } from '../policy/vm-rules.ts';

/** M10: a range this host cannot give leaves today's; so does a machine type that was not pinned then. */
export function restoredSpec(
  today: VmSpec,
  then: Configuration,
  policy: Policy,
  checkRange: (range: MemoryRange) => Result<MemoryRange>,
): VmSpec {
  const machineType = then.machineType ?? today.machineType;
  const spec = boundSpec({ ...today, ...configurationOf(then), machineType }, policy);
  const range = checkRange({ minKib: spec.minKib, maxKib: spec.maxKib });
  const { minKib, maxKib } = range.ok ? range.value : today;
  return { ...spec, minKib, maxKib };
}
