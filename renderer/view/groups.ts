// Groups VMs for the side list: those without a group first, then group by group. Pure.
import type { VmSummary } from '../../shared/vm.ts';

export interface VmGroup {
  /** Empty: the VMs without a group. */
  readonly name: string;
  readonly vms: readonly VmSummary[];
}

export function groupsOf(vms: readonly VmSummary[], language: string): VmGroup[] {
  const names = [...new Set(vms.map(({ spec }) => spec.group))];
  // The empty name sorts before every other.
  names.sort((a, b) => a.localeCompare(b, language));
  return names.map(name => ({ name, vms: vms.filter(({ spec }) => spec.group === name) }));
}
