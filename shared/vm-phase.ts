// What a VM's phase means, and what a person may ask of a VM in it: one table for the window, which offers,
// and for control, which refuses. Pure.
import type { VmPhase } from './vm.ts';

const LIVE: readonly VmPhase[] = ['starting', 'running', 'paused', 'stopping', 'suspending'];
export const isLive = (phase: VmPhase): boolean => LIVE.includes(phase);
/** No process of the VM runs, and it has no saved memory to go on from. */
export const isOver = (phase: VmPhase): boolean => phase === 'off' || phase === 'failed';

/** What a person may ask in a phase; its supervisor refuses the rest with vm.wrong-state. */
export const MAY: Readonly<
  Record<'start' | 'stop' | 'force' | 'pause' | 'resume' | 'reset' | 'suspend', readonly VmPhase[]>
> = {
  start: ['off', 'suspended', 'failed'],
  // A stop asked for while stopping asks the guest again.
  stop: ['running', 'paused', 'stopping'],
  // On a VM that failed while resuming, it discards the saved memory.
  force: ['starting', 'running', 'paused', 'stopping', 'suspending', 'suspended', 'failed'],
  pause: ['running'],
  resume: ['paused'],
  reset: ['running', 'paused'],
  suspend: ['running', 'paused'],
};
