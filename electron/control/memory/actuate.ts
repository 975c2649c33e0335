// Turns a plan into commands (M3). Pure. Releases are asked for at once. A grant is made only from memory
// that nobody holds and nobody was promised, as seen now: nothing is given before its release was observed.
import type { VmId } from '../../../shared/ids.ts';
import { ceilMib, floorMib, MIB_KIB } from '../../../shared/units.ts';
import { type HostModel, poolKib, promisedKib, type VmModel } from './model.ts';
import type { Plan } from './plan.ts';

export interface Command {
  readonly id: VmId;
  readonly targetKib: number;
  readonly kind: 'take' | 'give';
}

export interface ActuateOptions {
  /** Smaller moves are not worth a balloon's work, unless somebody waits for memory. */
  readonly deadbandKib: number;
  /** No VM is given anything, because the host itself has nothing left. */
  readonly isFrozen?: boolean;
  /** Switch-off: grants without waiting for releases. Tests only. */
  readonly giveBeforeFree?: boolean;
}

/** A balloon driver may settle this far from its target. */
export const TOLERANCE_KIB = 2 * MIB_KIB;

function isTake(vm: VmModel, goal: number, options: ActuateOptions): boolean {
  const asked = vm.targetKib ?? vm.bootKib;
  if (goal >= promisedKib(vm)) return false;
  // M3: no VM stays above its maximum, however small the excess.
  if (asked > vm.ceilingKib) return true;
  if (asked - goal > options.deadbandKib) return true;
  // The guest holds much more than the goal. A target that is only slightly lower still makes a driver that
  // gave up, or gave memory back to its guest, try once more.
  return (vm.actualKib ?? 0) - goal > Math.max(options.deadbandKib, TOLERANCE_KIB) && asked > goal;
}

/** Such a VM gets nothing until all of its minimum fits: a few MiB that others keep would keep it waiting. */
const lacksMinimum = (vm: VmModel): boolean => vm.held === null && promisedKib(vm) < vm.minKib;

/** Memory that comes back in trickles would otherwise all go to the first VM in the list (M1). */
function neediestFirst({ targets }: Plan, vms: ReadonlyMap<VmId, VmModel>): Plan['targets'] {
  const reached = ({ id, targetKib }: Plan['targets'][number]): number => {
    const vm = vms.get(id);
    return vm === undefined ? 1 : (promisedKib(vm) - vm.minKib) / Math.max(1, targetKib - vm.minKib);
  };
  const isUrgent = (id: VmId): number => Number(vms.get(id)?.wants?.isUrgent === true);
  // The sort is stable: equals stay in the plan's order.
  return [...targets].sort((a, b) => isUrgent(b.id) - isUrgent(a.id) || reached(a) - reached(b));
}

export function actuate(host: HostModel, plan: Plan, given: ActuateOptions): Command[] {
  const options = host.vms.some(lacksMinimum) ? { ...given, deadbandKib: 0 } : given;
  const byId = new Map(host.vms.map(vm => [vm.id, vm]));
  const commands: Command[] = [];
  let pool = options.giveBeforeFree === true ? Number.MAX_SAFE_INTEGER : poolKib(host);
  for (const { id, targetKib } of plan.targets) {
    const vm = byId.get(id);
    if (vm === undefined || !isTake(vm, targetKib, options)) continue;
    // Overdrawn: what was promised and not yet used is taken back first, which costs nobody anything. After
    // a restart the promise is a guess (M9), so a target above what the guest has might be a grant.
    const heldKib = ceilMib(vm.actualKib ?? vm.bootKib);
    const most = pool < 0 ? Math.max(vm.minKib, heldKib) : targetKib;
    commands.push({ id, targetKib: Math.min(targetKib, most), kind: 'take' });
  }
  for (const { id, targetKib } of options.isFrozen === true ? [] : neediestFirst(plan, byId)) {
    const vm = byId.get(id);
    if (vm === undefined) continue;
    const promised = promisedKib(vm);
    const asked = vm.targetKib ?? vm.bootKib;
    const want = targetKib - promised;
    if (want <= 0) {
      // The VM holds more than its target and still gives back. Where nobody needs that, it may keep it.
      if (pool >= 0 && targetKib > asked + options.deadbandKib && targetKib === floorMib(promised))
        commands.push({ id, targetKib, kind: 'give' });
      continue;
    }
    // The target is rounded to whole MiB, not the grant: a VM that holds part of a MiB would otherwise lack
    // that part of its minimum for ever.
    const grant = Math.min(targetKib, floorMib(promised + Math.max(0, pool))) - promised;
    if (grant <= 0 || (grant <= options.deadbandKib && grant < want)) continue;
    if (want <= options.deadbandKib) continue;
    // No command below a minimum: a guest that is below it waits until all of it fits.
    if (promised + grant < vm.minKib) continue;
    pool -= grant;
    commands.push({ id, targetKib: promised + grant, kind: 'give' });
  }
  return commands;
}
