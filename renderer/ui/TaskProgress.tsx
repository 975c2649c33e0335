// A task inside a dialog: how far it is, in its own words.
import type { ErrorBody } from '../../shared/errors.ts';
import type { TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from './Button.tsx';
import { ErrorWords, Notice } from './Notice.tsx';

export function TaskProgress(props: {
  readonly task: Task | null;
  readonly label: string;
  readonly note?: string;
}) {
  const { task } = props;
  return (
    <div className="task-progress">
      <p role="status">
        {props.label} <span className="quiet">{task?.step ?? ''}</span>
      </p>
      <progress
        aria-label={props.label}
        max={1}
        {...(task?.progress === null || task === null ? {} : { value: task.progress })}
      />
      {props.note === undefined ? null : <p className="soft">{props.note}</p>}
    </div>
  );
}

export function StopTask(props: { readonly taskId: TaskId; readonly verb: string }) {
  return (
    <Button
      look="flat"
      onPress={() => attempt(props.verb, () => call('task.cancel', { taskId: props.taskId }))}
    >
      {props.verb}
    </Button>
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
