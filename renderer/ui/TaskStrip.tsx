// Long work at the foot of the window: what, which step, how far, stop. Failures become error cards.
import { X } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { speak, useSpeech } from '../i18n/text.ts';
import { showError } from '../state/navigation.ts';
import { forgetTasks, ownTasksStore } from '../state/own-tasks.ts';
import { Button } from './Button.tsx';
import { useService } from './hooks.ts';

function useFailures(): void {
  const tasks = useService(state => state.tasks);
  const own = useStore(ownTasksStore, state => state.ids);
  useEffect(() => {
    const ended = tasks.filter(task => own.has(task.id) && task.state !== 'running');
    if (ended.length === 0) return;
    forgetTasks(ended.map(task => task.id));
    for (const { state, title, error } of ended)
      if (state === 'failed' && error !== null) showError(speak().app.failed(title), error);
  }, [tasks, own]);
}

export function TaskStrip() {
  const { text, language } = useSpeech();
  const tasks = useService(state => state.tasks);
  useFailures();
  const running = tasks.filter(task => task.state === 'running');
  if (running.length === 0) return null;
  return (
    <section className="tasks" aria-label={text.tasks.label}>
      {running.slice(0, 3).map(task => (
        <div className="task" key={task.id} role="status">
          <span className="task-title">{task.title}</span>
          <span className="task-step">{task.step}</span>
          <progress
            aria-label={task.title}
            max={1}
            {...(task.progress === null ? {} : { value: task.progress })}
          />
          <span className="task-share">
            {task.progress === null
              ? ''
              : new Intl.NumberFormat(language, { style: 'percent' }).format(task.progress)}
          </span>
          {task.canCancel ? (
            <Button
              look="icon"
              label={text.tasks.cancel(task.title)}
              onPress={() => attempt(text.app.cancel, () => call('task.cancel', { taskId: task.id }))}
            >
              <X size={14} aria-hidden />
            </Button>
          ) : null}
        </div>
      ))}
    </section>
  );
}
