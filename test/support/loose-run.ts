// What work is given when no list of tasks stands behind it: what it told and marked is kept, and it can be steered.
import { TaskGate } from '../../electron/control/tasks/task-gate.ts';
import type { Bytes, TaskRun } from '../../electron/control/tasks/tasks.ts';

export function looseRun(from: unknown = null) {
  const abort = new AbortController();
  const { signal } = abort;
  const gate = new TaskGate({ isPaused: false, signal, changed: () => undefined });
  const told: [words: string, bytes: Bytes | undefined][] = [];
  let stood = from;
  const run: TaskRun = {
    step: (words, bytes) => void told.push([words, bytes]),
    signal,
    gate,
    isAgain: from !== null,
    stood: from,
    mark: place => {
      stood = place;
    },
  };
  return { run, abort, gate, told, stood: () => stood };
}

/** Everything that waits for nothing has run. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
