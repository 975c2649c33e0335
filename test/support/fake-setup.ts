// How make-believe VMs are set up: the real rules, over a computer with UEFI and without TPMs. Development only.
import { configured } from '../../electron/control/setup/configure.ts';
import { conflictOf, type OtherVm, takenBy } from '../../electron/control/setup/port-conflicts.ts';
import { noTpm } from '../../electron/control/vm/host-parts.ts';
import type { VmId } from '../../shared/ids.ts';
import { orThrow } from '../../shared/result.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import { MIB } from '../../shared/units.ts';
import { discOf, type VmSpec } from '../../shared/vm.ts';
import type { PortConflict, PortForward } from '../../shared/vm-setup.ts';
import type { FakeControl } from './fake-service.ts';
import { fakeTask } from './fake-world.ts';

/** As if a web server ran on this computer. */
const BUSY_PORT = 8080;

export function setupHandlers(control: FakeControl) {
  const { world } = control;
  const conflicts = (vmId: VmId | null, wanted: readonly PortForward[]): PortConflict[] => {
    const others: OtherVm[] = world.vms
      .filter(({ summary }) => summary.spec.id !== vmId)
      .map(({ summary }) => ({ spec: summary.spec, isRunning: summary.state.pid !== null }));
    return wanted.flatMap(forward => {
      const by = takenBy(forward, others) ?? (forward.hostPort === BUSY_PORT ? 'program' : null);
      return by === null ? [] : [conflictOf(forward, by)];
    });
  };
  const putIn = (vmId: VmId, boot: VmSpec['boot']): void => {
    const vm = control.vm(vmId);
    vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, boot } };
    control.publish();
  };
  return {
    'vm.configure': ({ vmId, change }) => {
      const vm = control.vm(vmId);
      const { phase } = vm.summary.state;
      if (change.hasTpm === true) throw noTpm('Nothing was changed.');
      const stand = { phase, hasSavedMemory: phase === 'suspended' };
      const { spec, applies } = orThrow(configured(vm.summary.spec, change, stand));
      vm.summary = { ...vm.summary, spec };
      control.publish();
      return { vm: vm.summary, applies, conflicts: conflicts(vmId, change.portForwards ?? []) };
    },
    'vm.insert': ({ vmId }) =>
      control.work(fakeTask('vm.insert', 'Insert a CD', vmId, Date.now()), () =>
        putIn(vmId, { kind: 'iso', isoName: 'installer.iso', label: 'rescue-12.iso' }),
      ),
    'vm.eject': ({ vmId }) => {
      const wasEmpty = discOf(control.vm(vmId).summary.spec) === null;
      putIn(vmId, { kind: 'disk' });
      return { removedBytes: wasEmpty ? 0 : 650 * MIB };
    },
    'host.parts': () => ({
      uefi: { isHere: true, fix: '' },
      secureBoot: { isHere: true, fix: '' },
      cpuCap: { isHere: true, fix: '' },
      tpm: { isHere: false, fix: 'sudo apt-get install swtpm' },
    }),
    'network.conflicts': ({ vmId, portForwards }) => ({ conflicts: conflicts(vmId, portForwards) }),
  } satisfies Partial<Handlers<Contract>>;
}
