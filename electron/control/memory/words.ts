// The ledger's sentences (M7). Pure: figures in, words out.

import { amountText } from '../../../shared/units.ts';
import type { VmMemoryEvent } from '../ports.ts';
import type { HostState } from './host-state.ts';
import type { Plan } from './plan.ts';

export interface Move {
  readonly vmName: string;
  readonly fromKib: number;
  readonly toKib: number;
}

const list = (moves: readonly Move[]): string =>
  moves.map(move => `${move.vmName} ${amountText(move.fromKib)} → ${amountText(move.toKib)}`).join(', ');

function whereText({ mode, compressionRatio }: Pick<Plan, 'mode' | 'compressionRatio'>): string {
  // In mode `demand` nobody sits at a ratio; the moves say it all.
  if (mode === 'demand') return '';
  if (compressionRatio <= 0) return ' Everyone has its maximum.';
  if (compressionRatio >= 1) return ' Everyone is at its minimum.';
  return ` Everyone sits at ${Math.round((1 - compressionRatio) * 100)} % of its range.`;
}

/** The patent's step, in figures: whose usage is below its target, what balloons take, and who may grow by it. */
export interface Taking {
  readonly belowTarget: readonly string[];
  readonly takenKib: number;
  readonly givenTo: readonly string[];
}

function takingText({ belowTarget, takenKib, givenTo }: Taking): string {
  if (takenKib === 0) return '';
  const below = belowTarget.length === 0 ? '' : ` Below target: ${belowTarget.join(', ')}.`;
  const who = givenTo.length === 0 ? '' : ` for ${givenTo.join(', ')}`;
  return `${below} Balloons are to take ${amountText(takenKib)}${who}.`;
}

/** `cause` is a clause: "work started", "The budget was changed". */
export function planSentence(
  cause: string,
  moves: readonly Move[],
  plan: Pick<Plan, 'mode' | 'compressionRatio' | 'shortfallKib'>,
  taking: Taking,
): string {
  const missing = plan.shortfallKib > 0 ? ` ${amountText(plan.shortfallKib)} are missing even so.` : '';
  // A VM's name stays as its owner wrote it.
  return moves.length === 0
    ? `${cause}. Nothing can move.${missing}`
    : `${cause}: ${list(moves)}.${whereText(plan)}${plan.mode === 'proportional' ? takingText(taking) : ''}${missing}`;
}

/** What balloons took, as QMP saw it, and how much came back, as the host saw it (null: it does not tell). */
export interface Taken {
  readonly takenKib: number;
  readonly returnedKib: number | null;
}

export function doneSentence(moves: readonly Move[], seconds: number, taken: Taken): string {
  const { takenKib, returnedKib } = taken;
  const returned =
    returnedKib === null ? '' : `, ${amountText(returnedKib)} of it came back to this computer`;
  const took = takenKib === 0 ? '' : ` Balloons took ${amountText(takenKib)}${returned}.`;
  return `Done in ${seconds.toFixed(1)} s: ${list(moves)}.${took}`;
}

export const refusedSentence = (vmName: string, askedKib: number, actualKib: number): string =>
  `${vmName} did not move: asked for ${amountText(askedKib)}, still at ${amountText(actualKib)}. Nothing is lost; the others are planned around it. Its balloon driver may be busy or missing.`;

export const selfDeflatedSentence = (vmName: string, actualKib: number): string =>
  `${vmName} ran short and took memory back by itself, up to ${amountText(actualKib)}. For a while it is asked for nothing, and given more where it needs more.`;

export const keptSentence = (vmName: string, keptKib: number): string =>
  `The balloon of ${vmName} took memory, and ${amountText(keptKib)} of it did not come back to this computer. It counts as held and nobody is given it. ${vmName} is asked for no more while this run lasts.`;

export const unnotedSentence = (seconds: number): string =>
  `For ${seconds.toFixed(0)} s no memory was moved: what VMs were to be asked could not be written down first. Is the disk full? VMs kept what they had.`;

export const silentSentence = (vmName: string): string =>
  `${vmName} does not answer. What it may hold stays its own, and the others are planned around it, until it answers again.`;

/** For a state that asks something of VMs, or for the end of one. */
export function hostStateSentence(state: HostState, availableKib: number, stalled: number | null): string {
  const wait =
    (stalled ?? 0) > 0 ? `, and programs waited for memory ${Math.round(stalled ?? 0)} % of the time` : '';
  const has = `This computer has ${amountText(availableKib)} of memory left${wait}.`;
  if (state === 'emergency')
    return `${has} No VM is given more and none starts until that is over; what is missing is taken from VMs.`;
  if (state === 'critical') return `${has} VMs give back what is missing, however little.`;
  return `This computer has ${amountText(availableKib)} of memory left again; VMs are served as before.`;
}

/** Why there is a new plan, to follow a VM's name. Null: nothing a person did or would see. */
export function eventText(event: VmMemoryEvent): string | null {
  switch (event) {
    case 'guest-up':
      return 'is up';
    case 'paused':
      return 'was paused';
    case 'resumed':
      return 'resumed';
    case 'reset':
      return 'was reset';
    case 'suspended':
      return 'was suspended';
    case 'crashed':
      return 'ended unexpectedly';
    case 'stopped':
      return 'stopped';
    case 'started':
    case 'balloon-changed':
      return null;
  }
}
