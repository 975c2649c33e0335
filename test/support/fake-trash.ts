// Deleting make-believe VMs, and taking them back. Development only.
import type { Contract } from '../../shared/rpc/contract.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import { type FakeControl, refuse } from './fake-service.ts';
import { type FakeVm, fakeTask } from './fake-world.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

export function trashHandlers(control: FakeControl) {
  const { world } = control;
  const trashed = new Map<string, { readonly vm: FakeVm; readonly deletedAt: number }>();
  return {
    'vm.delete': ({ vmId }) =>
      control.work(fakeTask('vm.delete', 'Deleting', vmId, Date.now()), () => {
        trashed.set(vmId, { vm: control.vm(vmId), deletedAt: Date.now() });
        world.vms = world.vms.filter(vm => vm.summary.spec.id !== vmId);
      }),
    'vm.add': () => refuse('rpc.denied', 'A browser may not name folders.', 'Use the terminal.'),
    'vm.trashed': () => ({
      vms: [...trashed.values()].map(({ vm: { summary }, deletedAt }) => ({
        vmId: summary.spec.id,
        name: summary.spec.name,
        deletedAt,
        goesAt: deletedAt + WEEK_MS,
      })),
    }),
    'vm.restore': ({ vmId }) => {
      const found =
        trashed.get(vmId) ?? refuse('vm.not-found', 'There is no such deleted VM.', 'Look again.');
      trashed.delete(vmId);
      world.vms.push(found.vm);
      control.publish();
      return { name: found.vm.summary.spec.name };
    },
  } satisfies Partial<Handlers<Contract>>;
}
