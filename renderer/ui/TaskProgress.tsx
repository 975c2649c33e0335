// A task's progress in the window: how far it is, in its own words and in bytes; pause and stop.
import { Pause, Play } from 'lucide-react';
import type { ErrorBody } from '../../shared/errors.ts';
import { LONG_KINDS, type Task } from '../../shared/task.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatBytes } from '../view/format.ts';
import { Button } from './Button.tsx';
import { ErrorWords, Notice } from './Notice.tsx';

/** "412 MiB of 1.8 GiB"; empty where the step has no bytes. */
export function useAmount(task: Task | null): string {
  const { text, language } = useSpeech();
  if (task === null || task.bytesDone === null || task.bytesTotal === null) return '';
  return text.tasks.amount(formatBytes(task.bytesDone, language), formatBytes(task.bytesTotal, language));
}

/** An unknown share shows as a moving bar, except while the task is paused. */
export function TaskBar(props: { readonly task: Task | null; readonly label: string }) {
  const { task } = props;
  const value = task?.progress ?? (task?.isPaused === true ? 0 : null);
  return <progress aria-label={props.label} max={1} {...(value === null ? {} : { value })} />;
}

export function TaskProgress(props: {
  readonly task: Task | null;
  readonly label: string;
  readonly note?: string;
}) {
  const { text } = useSpeech();
  const { task } = props;
  const amount = useAmount(task);
  return (
    <div className="task-progress">
      {/* Figures that change all the time stand outside: a screen reader would read every change. */}
      <p role="status">
        {props.label}{' '}
        <span className="quiet">{task?.isPaused === true ? text.tasks.paused : (task?.step ?? '')}</span>
      </p>
      <TaskBar task={task} label={props.label} />
      {amount === '' ? null : <p className="quiet task-amount">{amount}</p>}
      {props.note === undefined ? null : <p className="soft">{props.note}</p>}
    </div>
  );
}

/** The pause button of a task; none for a kind of task that can never be paused. */
export function PauseTask(props: { readonly task: Task; readonly isIcon?: boolean }) {
  const { text } = useSpeech();
  const { id, kind, title, isPaused, canPause } = props.task;
  if (!LONG_KINDS.has(kind)) return null;
  const words = text.tasks;
  const label = isPaused
    ? words.resumeTitle(title)
    : canPause
      ? words.pauseTitle(title)
      : words.noPause(title);
  const verb = isPaused ? words.resume : words.pause;
  const Sign = isPaused ? Play : Pause;
  return (
    <Button
      needs={isPaused ? 'task.resume' : 'task.pause'}
      {...(props.isIcon === true ? { look: 'icon', label } : { look: 'flat' })}
      isDisabled={!isPaused && !canPause}
      onPress={() => attempt(verb, () => call(isPaused ? 'task.resume' : 'task.pause', { taskId: id }))}
    >
      {props.isIcon === true ? <Sign size={14} aria-hidden /> : verb}
    </Button>
  );
}

export function StopTask(props: { readonly task: Task; readonly verb: string }) {
  const { task, verb } = props;
  return (
    <>
      <PauseTask task={task} />
      <Button
        needs="task.cancel"
        look="flat"
        onPress={() => attempt(verb, () => call('task.cancel', { taskId: task.id }))}
      >
        {verb}
      </Button>
    </>
  );
}

export function CommandError(props: { readonly verb: string; readonly error: ErrorBody | null }) {
  const { text } = useSpeech();
  if (props.error === null) return null;
  return (
    <Notice tone="bad" title={text.app.failed(props.verb)} live="assertive">
      <ErrorWords body={props.error} />
    </Notice>
  );
}
