// The tasks this page began: it tells their failures, but not those of tasks of other windows or the CLI.
import { createStore } from 'zustand/vanilla';

export const ownTasksStore = createStore<{ readonly ids: ReadonlySet<string> }>()(() => ({ ids: new Set() }));

const change = (edit: (ids: Set<string>) => void): void =>
  ownTasksStore.setState(({ ids }) => {
    const next = new Set(ids);
    edit(next);
    return { ids: next };
  });

/** Notes the task of an answer: any answer of the service that names a task has begun it. */
export function noteTask(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('taskId' in result)) return;
  const { taskId } = result;
  if (typeof taskId === 'string') change(ids => ids.add(taskId));
}
export const forgetTasks = (gone: readonly string[]): void =>
  change(ids => {
    for (const id of gone) ids.delete(id);
  });
