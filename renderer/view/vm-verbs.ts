// What can be asked of a VM in a phase. Pure; the service has the last word.
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName } from '../../shared/rpc/table.ts';
import type { VmPhase } from '../../shared/vm.ts';

export type VmVerb =
  | 'start'
  | 'resume'
  | 'suspend'
  | 'shutdown'
  | 'pause'
  | 'unpause'
  | 'reset'
  | 'force'
  | 'rename'
  | 'delete';

/** What it calls in the end. */
export const VERB_NEEDS = {
  start: 'vm.start',
  resume: 'vm.start',
  suspend: 'vm.suspend',
  shutdown: 'vm.stop',
  pause: 'vm.pause',
  unpause: 'vm.resume',
  reset: 'vm.reset',
  force: 'vm.stop',
  rename: 'vm.rename',
  delete: 'vm.delete',
} as const satisfies Readonly<Record<VmVerb, MethodName<Contract>>>;

const BY_PHASE: Readonly<Record<VmPhase, readonly VmVerb[]>> = {
  off: ['start', 'rename', 'delete'],
  failed: ['start', 'force', 'rename', 'delete'],
  suspended: ['resume', 'force', 'rename'],
  starting: ['force', 'rename'],
  running: ['suspend', 'shutdown', 'pause', 'reset', 'force', 'rename'],
  paused: ['unpause', 'suspend', 'shutdown', 'reset', 'force', 'rename'],
  stopping: ['shutdown', 'force', 'rename'],
  suspending: ['force', 'rename'],
};

export const verbsIn = (phase: VmPhase): readonly VmVerb[] => BY_PHASE[phase];
