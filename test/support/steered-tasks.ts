// Long work held in its middle: by a storage that stands still, by a pause, by the tools it runs.
import { readdirSync, readFileSync } from 'node:fs';
import type { Task } from '../../shared/task.ts';
import { type Ebb, waitFor } from './ebb.ts';

/** Of the tools that copy something of this Ebb: running or sleeping, stopped (T), … */
export const copyingFor = ({ paths }: Pick<Ebb, 'paths'>): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const state = /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
        const isCopying = words.includes('convert') || words.includes('--push');
        return isCopying && words.includes(paths.runFolder) ? [state] : [];
      } catch {
        return [];
      }
    });

export function steering(ebb: () => Ebb, storagePid: () => number) {
  async function taskOf(taskId: string): Promise<Task> {
    const task = (await ebb().call('task.list', {})).tasks.find(({ id }) => id === taskId);
    if (task === undefined) throw new Error(`no task ${taskId}`);
    return task;
  }
  const pause = (taskId: string) => ebb().call('task.pause', { taskId: taskId as Task['id'] });
  const resume = (taskId: string) => ebb().call('task.resume', { taskId: taskId as Task['id'] });
  const cancel = (taskId: string) => ebb().call('task.cancel', { taskId: taskId as Task['id'] });

  const copying = (): string[] => copyingFor(ebb());
  const stopped = (): Promise<unknown> =>
    waitFor('the tool to stand still', () => copying().length > 0 && copying().every(state => state === 'T'));
  const gone = (): Promise<unknown> => waitFor('the tool to be gone', () => copying().length === 0);

  /** Storage stands still in the middle of it, so that it is nowhere else however fast this machine is. */
  async function inTheMiddle(begin: () => Promise<{ taskId: string }>): Promise<string> {
    for (;;) {
      const { taskId } = await begin();
      process.kill(storagePid(), 'SIGSTOP');
      await taskOf(taskId);
      if ((await taskOf(taskId)).state === 'running') return taskId;
      process.kill(storagePid(), 'SIGCONT');
      await ebb().done(taskId);
    }
  }
  const goOn = (): void => void process.kill(storagePid(), 'SIGCONT');

  /** The same, in a stretch that can wait; then it does, and storage goes on. */
  async function pausedInTheMiddle(begin: () => Promise<{ taskId: string }>): Promise<string> {
    for (;;) {
      const { taskId } = await begin();
      const isThere = async () => {
        const { state, canPause } = await taskOf(taskId);
        return state !== 'running' || canPause;
      };
      await waitFor('it to be where it can wait', isThere);
      process.kill(storagePid(), 'SIGSTOP');
      const paused = await pause(taskId).catch((cause: unknown) => cause);
      goOn();
      if (!(paused instanceof Error)) return taskId;
      await ebb().done(taskId);
    }
  }

  return {
    ...{ taskOf, pause, resume, cancel, stopped, gone, inTheMiddle, pausedInTheMiddle, goOn },
  };
}
