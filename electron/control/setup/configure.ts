// Decides what a change makes of a VM's spec, and when it applies. Pure.
import type { ErrorBody } from '../../../shared/errors.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { VmPhase, VmSpec } from '../../../shared/vm.ts';
import { isOver } from '../../../shared/vm-phase.ts';
import type { PortForward, SetupChange } from '../../../shared/vm-setup.ts';

export interface VmStand {
  readonly phase: VmPhase;
  readonly hasSavedMemory: boolean;
}
export interface Configured {
  readonly spec: VmSpec;
  readonly applies: 'now' | 'next-start';
}

/** Not part of the VM's machine: changed while it runs as well. */
const TOLD = ['group', 'notes', 'autostart', 'cpuCapPercent'] as const;
/** What disks and UEFI variables were made with: never changed under a machine that is to go on (L4). */
const OFF_ONLY = ['firmware', 'hasTpm', 'devices'] as const;

const differs = (spec: VmSpec, change: SetupChange, keys: readonly (keyof SetupChange)[]): boolean =>
  keys.some(key => change[key] !== undefined && JSON.stringify(change[key]) !== JSON.stringify(spec[key]));

const isOff = ({ phase, hasSavedMemory }: VmStand): boolean => isOver(phase) && !hasSavedMemory;

export function configured(spec: VmSpec, change: SetupChange, stand: VmStand): Result<Configured> {
  const twice = saidTwice(change.portForwards ?? []);
  if (twice !== null) return refuse(badForwards(twice));
  if (differs(spec, change, OFF_ONLY) && !isOff(stand)) return refuse(notOff(spec, stand));
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const machine = (Object.keys(change) as (keyof SetupChange)[]).filter(
    key => !TOLD.includes(key as (typeof TOLD)[number]),
  );
  const waits = !isOff(stand) && differs(spec, change, machine);
  return ok({ spec: { ...spec, ...given }, applies: waits ? 'next-start' : 'now' });
}

/** The first host port that two forwards want. */
export function saidTwice(forwards: readonly PortForward[]): PortForward | null {
  const seen = new Set<string>();
  for (const forward of forwards) {
    const key = `${forward.protocol} ${forward.hostPort}`;
    if (seen.has(key)) return forward;
    seen.add(key);
  }
  return null;
}

export const badForwards = ({ protocol, hostPort }: PortForward): ErrorBody => ({
  code: 'vm.bad-spec',
  what: `Two port forwards want the ${protocol} port ${hostPort} of this computer.`,
  safe: 'Nothing was changed.',
  todo: 'Give each its own port.',
});

const notOff = ({ name }: VmSpec, { phase, hasSavedMemory }: VmStand): ErrorBody => ({
  code: 'vm.wrong-state',
  what: `"${name}" is ${phase}; its firmware, TPM and devices can be changed while it is off.`,
  safe: 'Nothing was changed.',
  todo: hasSavedMemory ? 'Resume it and shut it down first.' : 'Shut it down first.',
  data: { phase },
});
