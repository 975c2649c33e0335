// Going back as people mean it: a running VM is shut down, goes back, and starts again. The service keeps the steps
// apart; a failure of any of them is shown and leaves the VM whole where it stands.
import type { MomentId, TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { speak } from '../i18n/text.ts';
import { type ServiceState, serviceStore } from '../state/service.ts';
import { isRunning } from '../view/attention.ts';
import { attempt, startNow } from './commands.ts';
import { call } from './connection.ts';

/** Resolves with the task once it has ended; its failure is told by the task strip. Null: the connection ended. */
function taskEnd(taskId: TaskId): Promise<Task | null> {
  return new Promise(resolve => {
    const look = (state: ServiceState): boolean => {
      const task = state.tasks.find(other => other.id === taskId);
      const isEnded = task !== undefined && task.state !== 'running';
      if (isEnded) resolve(task);
      else if (state.connection !== 'connected') resolve(null);
      return isEnded || state.connection !== 'connected';
    };
    if (look(serviceStore.getState())) return;
    const stop = serviceStore.subscribe(state => {
      if (look(state)) stop();
    });
  });
}

async function runTask(verb: string, start: () => Promise<{ taskId: TaskId }>): Promise<boolean> {
  const started = await attempt(verb, start);
  if (started === null) return false;
  return (await taskEnd(started.taskId))?.state === 'done';
}

export async function goBack(vm: VmSummary, momentId: MomentId): Promise<void> {
  const words = speak();
  const vmId = vm.spec.id;
  const wasRunning = isRunning(vm);
  if (wasRunning) {
    const isOff = await runTask(words.vm.shutdown, () => call('vm.stop', { vmId, how: 'shutdown' }));
    if (!isOff) return;
  }
  const verb = words.history.error.goBack;
  const isBack = await runTask(verb, () => call('moment.go-back', { vmId, momentId }));
  if (isBack && wasRunning) await startNow(vmId);
}
