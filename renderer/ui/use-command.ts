// Sends a command from a dialog that stays open until the command worked; its error is shown inside. Also
// follows the task the command began.
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import { errorBodyOf } from '../api/commands.ts';
import { forgetTasks, noteTask } from '../state/own-tasks.ts';
import { serviceStore } from '../state/service.ts';
import { useService } from './hooks.ts';

export interface Sending {
  readonly error: ErrorBody | null;
  readonly isSending: boolean;
  /** Null: the command failed. */
  readonly send: <T>(run: () => Promise<T>, onFail?: (error: ErrorBody) => void) => Promise<T | null>;
  readonly clear: () => void;
}

export function useCommand(): Sending {
  const [error, setError] = useState<ErrorBody | null>(null);
  const [isSending, setSending] = useState(false);
  const send: Sending['send'] = async (run, onFail) => {
    setError(null);
    setSending(true);
    try {
      return await run();
    } catch (fault) {
      const body = errorBodyOf(fault);
      setError(body);
      onFail?.(body);
      return null;
    } finally {
      setSending(false);
    }
  };
  return { error, isSending, send, clear: () => setError(null) };
}

/** A task shown by this component: no error card tells its failure, unless the component closes before. */
export function useShownTask(taskId: TaskId | null): Task | null {
  useEffect(() => {
    if (taskId === null) return;
    forgetTasks([taskId]);
    return () => {
      const task = serviceStore.getState().tasks.find(other => other.id === taskId);
      if (task?.state === 'running') noteTask({ taskId });
    };
  }, [taskId]);
  return useService(state => state.tasks.find(task => task.id === taskId) ?? null);
}
