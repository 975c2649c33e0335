// Whether a shell may look for a newer Ebb and install it (policy app.updates). Control decides, as for every
// limit; the shell asks before it looks, and again before it installs. Installing touches no service, and
// settling survives any death; but the start that follows would cut short a task in the middle of its work.
import { TASKS_WAITED_FOR_MAX, type Task } from '../../shared/task.ts';

export interface UpdatesAllowed {
  readonly mayLook: boolean;
  readonly mayInstall: boolean;
  readonly waitsFor: string[];
}

/** A paused task delays no installation: it stays paused over a restart. */
export function updatesAllowed(isAllowed: boolean, tasks: readonly Task[]): UpdatesAllowed {
  const waitsFor = tasks.filter(task => task.state === 'running' && !task.isPaused).map(({ title }) => title);
  return {
    mayLook: isAllowed,
    mayInstall: isAllowed && waitsFor.length === 0,
    waitsFor: waitsFor.slice(0, TASKS_WAITED_FOR_MAX),
  };
}
