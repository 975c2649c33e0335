// The refusals about tasks, and the errors of tasks that cannot go on. Pure.
import type { ErrorBody } from '../../../shared/errors.ts';
import type { TaskId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';

export const noTask = (id: TaskId): Fault =>
  new Fault({
    code: 'task.not-found',
    what: `Task ${id} is not running.`,
    safe: 'Nothing was changed.',
    todo: 'Look at the tasks again.',
  });

export const tooMany = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: 'A hundred long tasks are under way.',
    safe: 'Nothing was begun.',
    todo: 'Wait for one to end, or cancel one.',
  });

export const cannotPause = (title: string, step: string, canCancel: boolean): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: `${title}: what it does now cannot be paused${step === '' ? '' : ` (${step})`}.`,
    safe: 'It goes on.',
    todo: canCancel ? 'Try again at its next step, or cancel it.' : 'Wait for it to end.',
  });

const BEGUN_SAFE =
  'What it had begun was put away; what it works on is as it was. Other tasks and VMs are not affected.';

export const cannotResume = (title: string): Fault =>
  new Fault({
    code: 'rpc.version-mismatch',
    what: `${title}: Ebb's service ended in the middle of it, and this version cannot go on with it.`,
    safe: BEGUN_SAFE,
    todo: 'Start it again.',
  });

export const keepsEnding = (title: string): Fault =>
  new Fault({
    code: 'internal',
    what: `${title}: Ebb's service ended each of the three times this was under way.`,
    safe: BEGUN_SAFE,
    todo: 'The log has the details; start it again once the reason is gone.',
  });

export const mistake = (id: TaskId): ErrorBody => ({
  code: 'internal',
  what: `Ebb made a mistake (task ${id.slice(0, 8)}).`,
  safe: 'Disks and other VMs are not affected.',
  todo: 'Try again; the log has the details.',
  incident: id,
});
