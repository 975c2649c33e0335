// Which verbs the window offers for a VM in a phase. Pure; the service has the last word.
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName } from '../../shared/rpc/table.ts';
import { type VmPhase, vmPhaseSchema } from '../../shared/vm.ts';
import { isOver, MAY } from '../../shared/vm-phase.ts';

/** The method each verb calls in the end. */
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
} as const satisfies Readonly<Record<string, MethodName<Contract>>>;
export type VmVerb = keyof typeof VERB_NEEDS;

/** The phases in which each verb is offered; the verbs are in the order they are shown. */
const PHASES: Readonly<Record<VmVerb, readonly VmPhase[]>> = {
  start: MAY.start.filter(phase => phase !== 'suspended'),
  resume: ['suspended'],
  unpause: MAY.resume,
  suspend: MAY.suspend,
  shutdown: MAY.stop,
  pause: MAY.pause,
  reset: MAY.reset,
  force: MAY.force,
  rename: vmPhaseSchema.options,
  delete: vmPhaseSchema.options.filter(isOver),
};
const VERBS = Object.keys(PHASES) as VmVerb[];

export const verbsIn = (phase: VmPhase): readonly VmVerb[] =>
  VERBS.filter(verb => PHASES[verb].includes(phase));
