// Which calls a peek takes: it is run, watched and balanced like a VM, but has no history and no settings,
// and is not kept.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { MethodName } from '../../../shared/rpc/table.ts';
import type { Peek } from '../../../shared/vm-setup.ts';
import { wrapped } from '../policy/guard.ts';

const MAY: ReadonlySet<string> = new Set<MethodName<Contract>>([
  'vm.get',
  'vm.stop',
  'vm.pause',
  'vm.resume',
  'vm.reset',
  'vm.screen',
  'vm.thumbnail',
  'vm.guest',
  'memory.show',
  'memory.set-range',
  'memory.try-range',
  'memory.keep-range',
  'memory.undo-range',
  'memory.range-undo',
  'memory.set-balance',
  'memory.focus',
  'memory.ledger',
  'memory.history',
  'audit.list',
  'console.open',
  'console.send',
  'console.close',
]);

/** `peekOf` answers null for a VM that is kept, and for one that is not there. */
export const onlyLooking = (
  handlers: Handlers<Contract>,
  peekOf: (vmId: VmId) => Peek | null,
): Handlers<Contract> =>
  wrapped(handlers, (method, params) => {
    if (MAY.has(method)) return;
    const { vmId } = params as { readonly vmId?: VmId | null };
    const peek = vmId === undefined || vmId === null ? null : peekOf(vmId);
    if (peek === null) return;
    throw new Fault({
      code: 'vm.wrong-state',
      what: `This is a look at "${peek.momentName}": it has nothing of its own, and keeps nothing.`,
      safe: 'Nothing was changed.',
      todo: 'To keep what is there, create a VM from the point, or go back to it.',
    });
  });
