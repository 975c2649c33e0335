// The tasks this page asked for: their failures are told here; those of other windows and of the command line are not.
import { createStore } from 'zustand/vanilla';

export const ownTasksStore = createStore<{ readonly ids: ReadonlySet<string> }>()(() => ({ ids: new Set() }));

const change = (edit: (ids: Set<string>) => void): void =>
  ownTasksStore.setState(({ ids }) => {
    const next = new Set(ids);
    edit(next);
    return { ids: next };
  });

/** Any answer of the service that names a task begins one. */
export function noteTask(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('taskId' in result)) return;
  const { taskId } = result;
  if (typeof taskId === 'string') change(ids => ids.add(taskId));
}
export const forgetTasks = (gone: readonly string[]): void =>
  change(ids => {
    for (const id of gone) ids.delete(id);
  });
