// Conflicts over host ports: who has a port that another wants. Pure; whether another program has a port is
// found out elsewhere, by listening on it.
import type { ErrorBody } from '../../../shared/errors.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { PortConflict, PortForward } from '../../../shared/vm-setup.ts';

export interface OtherVm {
  readonly spec: Pick<VmSpec, 'name' | 'network' | 'portForwards'>;
  readonly isRunning: boolean;
}

export const samePort = (a: PortForward, b: PortForward): boolean =>
  a.protocol === b.protocol && a.hostPort === b.hostPort;

/** The host ports that a VM listens on; none while it is off. */
export const ownPorts = ({ spec, isRunning }: OtherVm): readonly PortForward[] =>
  isRunning && spec.network !== 'none' ? spec.portForwards : [];

export const takenBy = (forward: PortForward, others: readonly OtherVm[]): OtherVm | null =>
  others.find(vm => ownPorts(vm).some(port => samePort(port, forward))) ?? null;

export function conflictOf(
  { protocol, hostPort }: PortForward,
  by: OtherVm | 'program' | 'denied',
): PortConflict {
  const port = `The ${protocol} port ${hostPort} of this computer`;
  if (by === 'denied')
    return { protocol, hostPort, what: `${port} is kept for the system; use one above 1023.` };
  const who = by === 'program' ? 'another program' : `the VM "${by.spec.name}"`;
  return { protocol, hostPort, what: `${port} is used by ${who}.` };
}

export const portsTaken = (name: string, conflicts: readonly PortConflict[]): ErrorBody => ({
  code: 'network.port-in-use',
  what: `"${name}" cannot start: ${conflicts.map(({ what }) => what).join(' ')}`.slice(0, 2000),
  safe: 'Nothing was started.',
  todo: 'End whoever uses it, or change the port forward, then start it again.',
  data: { ports: conflicts.map(({ protocol, hostPort }) => `${protocol} ${hostPort}`) },
});
