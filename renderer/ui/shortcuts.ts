// The keyboard map of the whole window. The console's own keys never get here while it owns the keyboard.

import type { VmSummary } from '../../shared/vm.ts';
import { shutDownVm, startVm, suspendVm } from '../api/commands.ts';
import { goTo, navigationStore, openDialog } from '../state/navigation.ts';
import { serviceStore } from '../state/service.ts';

/** Custom event: the history page opens its "take a point" box. */
export const TAKE_POINT_EVENT = 'ebb:take-point';

/** Custom event: the memory page drops what was chosen and not applied, or takes the last change back. */
export const UNDO_RANGE_EVENT = 'ebb:undo-range';

const currentVm = (): VmSummary | null => {
  const { place } = navigationStore.getState();
  if (place.kind !== 'vm') return null;
  return serviceStore.getState().vms?.find(vm => vm.spec.id === place.vmId) ?? null;
};

const isOnMemory = (): boolean => {
  const { place } = navigationStore.getState();
  return place.kind === 'vm' && place.tab === 'memory';
};

export function openTakePoint(vmId: VmSummary['spec']['id']): void {
  goTo({ kind: 'vm', vmId, tab: 'history' });
  // The page has to be on screen before it can hear.
  setTimeout(() => window.dispatchEvent(new Event(TAKE_POINT_EVENT)), 0);
}

function run(event: KeyboardEvent): boolean {
  const vm = currentVm();
  const vms = serviceStore.getState().vms ?? [];
  switch (event.key.toLowerCase()) {
    case 'k':
      openDialog('palette');
      return true;
    case 'n':
      openDialog('create');
      return true;
    case ',':
      openDialog('settings');
      return true;
    case 's':
      if (vm !== null) openTakePoint(vm.spec.id);
      return vm !== null;
    case 'z':
      // Text has its own undoing.
      if (!isOnMemory() || event.target instanceof HTMLInputElement) return false;
      window.dispatchEvent(new Event(UNDO_RANGE_EVENT));
      return true;
    case 'enter':
      if (vm !== null && ['off', 'suspended', 'failed'].includes(vm.state.phase)) void startVm(vm);
      return vm !== null;
    case '.':
    case '>':
      if (vm !== null && vm.state.phase === 'running') {
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
