// What a VM's phase says of it, and what a person may ask in it: one table for who asks and for who refuses. Pure.
import type { VmPhase } from './vm.ts';

const LIVE: readonly VmPhase[] = ['starting', 'running', 'paused', 'stopping', 'suspending'];
export const isLive = (phase: VmPhase): boolean => LIVE.includes(phase);
/** Nothing of it runs or waits. */
export const isOver = (phase: VmPhase): boolean => phase === 'off' || phase === 'failed';

/** What a person may ask in a phase; its supervisor refuses the rest with vm.wrong-state. */
export const MAY: Readonly<
  Record<'start' | 'stop' | 'force' | 'pause' | 'resume' | 'reset' | 'suspend', readonly VmPhase[]>
> = {
  start: ['off', 'suspended', 'failed'],
  // Asked again while stopping, the guest is asked again.
  stop: ['running', 'paused', 'stopping'],
  // Of a VM that failed while resuming it discards the saved memory.
  force: ['starting', 'running', 'paused', 'stopping', 'suspending', 'suspended', 'failed'],
  pause: ['running'],
  resume: ['paused'],
  reset: ['running', 'paused'],
  suspend: ['running', 'paused'],
};
