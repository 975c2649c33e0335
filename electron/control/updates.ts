// Whether a shell may look for a newer Ebb and put it in place (policy app.updates). Control answers, as for every limit;
// the shell asks before it looks, and again before it installs. Putting it in place touches no service, and settling goes
// on through any death; a task in the middle of its work would be cut short by the start that follows.
import { TASKS_WAITED_FOR_MAX, type Task } from '../../shared/task.ts';

export interface UpdatesAllowed {
  readonly mayLook: boolean;
  readonly mayInstall: boolean;
  readonly waitsFor: string[];
}

/** A task that was told to wait waits over a restart as well. */
export function updatesAllowed(isAllowed: boolean, tasks: readonly Task[]): UpdatesAllowed {
  const waitsFor = tasks.filter(task => task.state === 'running' && !task.isPaused).map(({ title }) => title);
  return {
    mayLook: isAllowed,
    mayInstall: isAllowed && waitsFor.length === 0,
    waitsFor: waitsFor.slice(0, TASKS_WAITED_FOR_MAX),
  };
}
