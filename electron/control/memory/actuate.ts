// plan → commands (M3): releases are asked at once; a grant is made only out of memory nobody holds and nobody was
// promised, as seen now. So nothing is given before its release has been observed. Pure.
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
  /** Nobody is given anything: the host itself has nothing left. */
  readonly isFrozen?: boolean;
  /** Switch-off: grants without waiting for releases. Tests only. */
  readonly giveBeforeFree?: boolean;
}

/** A driver settles within this of what it was asked. */
export const TOLERANCE_KIB = 2 * MIB_KIB;

function isTake(vm: VmModel, goal: number, options: ActuateOptions): boolean {
  const asked = vm.targetKib ?? vm.bootKib;
  if (goal >= promisedKib(vm)) return false;
  // M3: above its maximum nobody stays, however little it is.
  if (asked > vm.ceilingKib) return true;
  if (asked - goal > options.deadbandKib) return true;
  // The same value again makes a driver that gave up, or gave some back to its guest, try once more.
  return (vm.actualKib ?? 0) - goal > Math.max(options.deadbandKib, TOLERANCE_KIB) && asked > goal;
}

/** It gets nothing before there is room for all of its minimum: a few MiB that others keep would keep it waiting. */
const lacksMinimum = (vm: VmModel): boolean => vm.held === null && promisedKib(vm) < vm.minKib;

/** What comes back in trickles would otherwise all go to whoever is first in the list (M1). */
function neediestFirst({ targets }: Plan, vms: ReadonlyMap<VmId, VmModel>): Plan['targets'] {
  const reached = ({ id, targetKib }: Plan['targets'][number]): number => {
    const vm = vms.get(id);
    return vm === undefined ? 1 : (promisedKib(vm) - vm.minKib) / Math.max(1, targetKib - vm.minKib);
  };
  const isUrgent = (id: VmId): number => Number(vms.get(id)?.wants?.isUrgent === true);
  // A sort keeps the order of equals.
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
    // Overdrawn: what was promised and not yet taken is taken back first, it costs nobody anything. After a restart the
    // promise is a guess from the journal (M9); asking for more than the guest has might then be a grant.
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
      // It holds more than it was last asked to, and may keep it where nobody needs what it still gives back.
      if (pool >= 0 && targetKib > asked + options.deadbandKib && targetKib === floorMib(promised))
        commands.push({ id, targetKib, kind: 'give' });
      continue;
    }
    // Whole MiB is where it goes, not what it gets: it may hold a part of one, and would lack that of its minimum for ever.
    const grant = Math.min(targetKib, floorMib(promised + Math.max(0, pool))) - promised;
    if (grant <= 0 || (grant <= options.deadbandKib && grant < want)) continue;
    if (want <= options.deadbandKib) continue;
    // Never below a minimum: a guest that was below it waits until there is room for all of it.
    if (promised + grant < vm.minKib) continue;
    pool -= grant;
    commands.push({ id, targetKib: promised + grant, kind: 'give' });
  }
  return commands;
}
