// Commands as the screens use them: every fault becomes an error card in its own words; none is swallowed.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../shared/errors.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { StartPreview } from '../../shared/memory.ts';
import { Fault, messageOf } from '../../shared/result.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { speak } from '../i18n/text.ts';
import { goTo, showError } from '../state/navigation.ts';
import { serviceStore } from '../state/service.ts';
import { cleanAll } from '../view/clean.ts';
import { call } from './connection.ts';

export const errorBodyOf = (error: unknown): ErrorBody =>
  error instanceof Fault
    ? cleanAll(error.body)
    : {
        code: 'internal',
        what: `The window made a mistake: ${messageOf(error)}.`,
        safe: 'VMs and their disks are not affected.',
        todo: 'Reload the window and try again.',
      };

/** Runs a command. A failure is shown under `verb`, and null is returned. */
export async function attempt<T>(verb: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    showError(speak().app.failed(verb), errorBodyOf(error));
    return null;
  }
}

export interface PendingStart {
  readonly vm: VmSummary;
  readonly preview: StartPreview;
}
/** A start that would squeeze other VMs waits here until the person decides. */
export const pendingStartStore = createStore<{ readonly start: PendingStart | null }>()(() => ({
  start: null,
}));

/** The person is asked only when a VM would lose more than this share of its memory, or memory it uses. */
const QUIET_SHARE = 0.1;

function squeezes(preview: StartPreview): boolean {
  if (!preview.feasible) return true;
  const memory = serviceStore.getState().host?.vms ?? [];
  return preview.changes.some(change => {
    const usedKib = memory.find(vm => vm.vmId === change.vmId)?.usedKib ?? 0;
    const lost = change.fromKib - change.toKib;
    return lost > change.fromKib * QUIET_SHARE || (lost > 0 && change.toKib < usedKib);
  });
}

export const startNow = (vmId: VmId): Promise<unknown> =>
  attempt(speak().vm.start, () => call('vm.start', { vmId }));

export async function startVm(vm: VmSummary): Promise<void> {
  const { vm: words } = speak();
  const preview = await attempt(words.start, () => call('vm.preview-start', { vmId: vm.spec.id }));
  if (preview === null) return;
  if (squeezes(preview)) pendingStartStore.setState({ start: { vm, preview } });
  else await startNow(vm.spec.id);
}

export const suspendVm = (vmId: VmId): Promise<unknown> =>
  attempt(speak().vm.suspend, () => call('vm.suspend', { vmId }));
export const shutDownVm = (vmId: VmId): Promise<unknown> =>
  attempt(speak().vm.shutdown, () => call('vm.stop', { vmId, how: 'shutdown' }));

/** Takes back the last change of a range; a trial ends at once. */
export const undoRange = (vmId: VmId): Promise<unknown> =>
  attempt(speak().trial.error.undo, () => call('memory.undo-range', { vmId }));
export const keepRange = (vmId: VmId): Promise<unknown> =>
  attempt(speak().trial.error.keep, () => call('memory.keep-range', { vmId }));

export const endFreeing = (): Promise<unknown> =>
  attempt(speak().free.end, () => call('memory.free', { kib: 0, seconds: 10 }));

/** Boots a VM to look at the moment, and shows its console. */
export async function peekAt(vmId: VmId, momentId: MomentId): Promise<void> {
  const started = await attempt(speak().peek.verb, () => call('moment.peek', { vmId, momentId }));
  if (started !== null) goTo({ kind: 'vm', vmId: started.vmId, tab: 'console' });
}

/** Ends a peek, of which nothing is kept, and returns to the history it looked at. */
export async function endPeek({ spec: { id, peek } }: VmSummary): Promise<void> {
  if (peek === null) return;
  const ended = await attempt(speak().peek.close, () => call('vm.stop', { vmId: id, how: 'force' }));
  if (ended !== null) goTo({ kind: 'vm', vmId: peek.vmId, tab: 'history' });
}

/** One task: a running VM is shut down, goes back, and starts again. */
export const goBack = (
  vm: VmSummary,
  momentId: MomentId,
  how: { readonly memory: 'resume' | 'discard'; readonly configuration: 'keep' | 'restore' },
): Promise<unknown> =>
  attempt(speak().history.error.goBack, () =>
    call('moment.go-back', { vmId: vm.spec.id, momentId, ifRunning: 'shutdown', ...how }),
  );
