// What can be asked of a VM in a phase. Pure; the service has the last word.
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
