// The strip of running tasks at the foot: title, step, progress, pause, stop. Failures become error cards.
import { X } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { Task } from '../../shared/task.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { speak, useSpeech } from '../i18n/text.ts';
import { showError } from '../state/navigation.ts';
import { forgetTasks, ownTasksStore } from '../state/own-tasks.ts';
import { formatPercent } from '../view/format.ts';
import { Button } from './Button.tsx';
import { useService } from './hooks.ts';
import { PauseTask, TaskBar, useAmount } from './TaskProgress.tsx';

function useFailures(): void {
  const tasks = useService(state => state.tasks);
  const own = useStore(ownTasksStore, state => state.ids);
  useEffect(() => {
    const ended = tasks.filter(task => own.has(task.id) && task.state !== 'running');
    if (ended.length === 0) return;
    forgetTasks(ended.map(task => task.id));
    for (const { state, title, error } of ended)
      if (state === 'failed' && error !== null) showError(speak().app.failed(speak().spoken(title)), error);
  }, [tasks, own]);
}

function Row(props: { readonly task: Task }) {
  const { text, language } = useSpeech();
  const { task } = props;
  const { id, step, progress, canCancel, isPaused } = task;
  const title = text.spoken(task.title);
  const amount = useAmount(task);
  return (
    <div className="task">
      <p className="task-said" role="status">
        <span className="task-title">{title}</span>
        <span className="task-step">{isPaused ? text.tasks.paused : text.spoken(step)}</span>
      </p>
      <TaskBar task={task} label={title} />
      <span className="task-share">
        {amount !== '' || progress === null ? amount : formatPercent(progress, language)}
      </span>
      <PauseTask task={task} isIcon />
      {canCancel ? (
        <Button
          needs="task.cancel"
          look="icon"
          label={text.tasks.cancel(title)}
          onPress={() => attempt(text.app.cancel, () => call('task.cancel', { taskId: id }))}
        >
          <X size={14} aria-hidden />
        </Button>
      ) : null}
    </div>
  );
}

export function TaskStrip() {
  const { text } = useSpeech();
  const tasks = useService(state => state.tasks);
  useFailures();
  const running = tasks.filter(task => task.state === 'running');
  if (running.length === 0) return null;
  return (
    <section className="tasks" aria-label={text.tasks.label}>
      {running.slice(0, 3).map(task => (
        <Row key={task.id} task={task} />
      ))}
    </section>
  );
}
