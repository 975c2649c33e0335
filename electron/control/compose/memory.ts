// Composition, the part about memory: the memory manager with the host's figures, and the desk of ranges that
// people try.
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import { systemClock } from '../../platform/clock.ts';
import { type hostMemoryReader, hostStrain } from '../../platform/host-memory.ts';
import { systemRandom } from '../../platform/random.ts';
import { systemResidents } from '../../platform/resident.ts';
import { systemVmGroups } from '../../platform/vm-groups.ts';
import type { Machines } from '../machines/machines.ts';
import { openHistoryRows } from '../memory/history-rows.ts';
import { openMemoryJournal } from '../memory/journal.ts';
import { MemoryManager } from '../memory/manager.ts';
import { RangeDesk, type RangeDeskPorts } from '../memory/range-desk.ts';
import { openRangeStore } from '../memory/range-store.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { memoryPolicyOf } from '../policy/memory-rules.ts';
import type { Catalog } from '../store/catalog.ts';
import { orLater, writing } from '../store/unwritten.ts';
import { CpuCaps } from '../vm/cpu-cap.ts';
import type { ControlInput } from './compose.ts';

const clock = systemClock;
export const residents = systemResidents(() => clock.monotonicMs());

interface MemoryParts {
  readonly figures: ReturnType<typeof hostMemoryReader>;
  readonly desk: PolicyDesk;
  readonly woke: () => void;
  readonly storagePid: () => number | null;
}

export function memoryManager(
  { log, pid }: ControlInput,
  catalog: Catalog,
  { figures, desk, woke, storagePid }: MemoryParts,
): { readonly memory: MemoryManager; readonly cpu: CpuCaps } {
  const ownKib = (): number =>
    [pid, storagePid()].reduce<number>((sum, id) => sum + (id === null ? 0 : (residents.now(id) ?? 0)), 0);
  const groups = systemVmGroups(pid);
  log(groups.found);
  const memory = new MemoryManager(
    {
      clock,
      random: systemRandom,
      journal: openMemoryJournal(catalog.db),
      historyRows: openHistoryRows(catalog.db, log),
      host: () => ({ ...figures(), ownKib: ownKib(), stalled: hostStrain().stalled }),
      groups,
      woke,
      log,
    },
    memoryPolicyOf(desk.policy, figures().totalKib),
  );
  return { memory, cpu: new CpuCaps(groups, log) };
}

export function rangeDesk(
  { log }: ControlInput,
  catalog: Catalog,
  machines: Machines,
  memory: MemoryManager,
  topics: Topics<Contract>,
  trialEnded: RangeDeskPorts['trialEnded'] & {},
): RangeDesk {
  const ranges = new RangeDesk({
    clock,
    store: openRangeStore(catalog.db, log),
    specOf: vmId => machines.spec(vmId),
    setRange: (vmId, range) => machines.setRange(vmId, range),
    undone: () => {
      orLater(() => writing(catalog.reread), 'what is in the catalog', log);
      machines.hearAll();
    },
    tell: text => memory.tell(text),
    trialEnded,
    changed: () => topics.publish('ranges', null, ranges.all()),
    log,
  });
  return ranges;
}
