// The keyboard map of the whole window. While a console owns the keyboard, its keys never get here.

import { mayCall } from '../../shared/roles.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { shutDownVm, startVm, suspendVm } from '../api/commands.ts';
import type { Needs } from '../policy/role.ts';
import { ask } from '../state/asked.ts';
import { goTo, navigationStore, openDialog } from '../state/navigation.ts';
import { serviceStore } from '../state/service.ts';

/** Custom event that makes the memory page cancel the drag under way, or take the last change back. */
export const UNDO_RANGE_EVENT = 'ebb:undo-range';

const currentVm = (): VmSummary | null => {
  const { place } = navigationStore.getState();
  if (place.kind !== 'vm') return null;
  return serviceStore.getState().vms?.find(vm => vm.spec.id === place.vmId) ?? null;
};

/** Whether the role may call the method: nothing is begun that the service would refuse. */
const may = (needs: Needs): boolean => mayCall(serviceStore.getState().info?.role ?? 'administer', needs);

const isOnMemory = (): boolean => {
  const { place } = navigationStore.getState();
  return place.kind === 'vm' && place.tab === 'memory';
};

function run(event: KeyboardEvent): boolean {
  const vm = currentVm();
  const vms = serviceStore.getState().vms ?? [];
  switch (event.key.toLowerCase()) {
    case 'k':
      openDialog('palette');
      return true;
    case 'n':
      if (may('vm.create')) openDialog('create');
      return true;
    case ',':
      openDialog('settings');
      return true;
    case 's':
      if (vm !== null && may('moment.take')) ask(vm.spec.id, 'take');
      return vm !== null;
    case 'z':
      // A text field has its own undo.
      if (!isOnMemory() || event.target instanceof HTMLInputElement) return false;
      window.dispatchEvent(new Event(UNDO_RANGE_EVENT));
      return true;
    case 'enter':
      if (vm !== null && may('vm.start') && ['off', 'suspended', 'failed'].includes(vm.state.phase))
        void startVm(vm);
      return vm !== null;
    case '.':
    case '>':
      if (vm !== null && vm.state.phase === 'running' && may(event.shiftKey ? 'vm.stop' : 'vm.suspend')) {
        void (event.shiftKey ? shutDownVm(vm.spec.id) : suspendVm(vm.spec.id));
      }
      return vm !== null;
    default: {
      const chosen = /^[1-9]$/.test(event.key) ? vms[Number(event.key) - 1] : undefined;
      if (chosen === undefined) return false;
      goTo({ kind: 'vm', vmId: chosen.spec.id, tab: 'summary' });
      return true;
    }
  }
}

export function onShortcut(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target?.closest('.console-screen') !== null && target !== null) return;
  if (navigationStore.getState().dialog !== null) return;
  if (run(event)) event.preventDefault();
}
