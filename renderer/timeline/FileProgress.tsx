// A file being written: where it goes and how far it is. Closing leaves the work to the background.
import type { TaskId } from '../../shared/ids.ts';
import { isElsewhere } from '../api/download.ts';
import { useSpeech } from '../i18n/text.ts';
import { DownloadFile } from '../ui/DownloadFile.tsx';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { TaskProgress } from '../ui/TaskProgress.tsx';
import { useShownTask } from '../ui/use-command.ts';

export interface Writing {
  readonly taskId: TaskId;
  readonly path: string;
}

export function FileProgress(props: { readonly writing: Writing }) {
  const { text } = useSpeech();
  const { taskId, path } = props.writing;
  const task = useShownTask(taskId);
  const words = text.history.exporting;
  const state = task?.state ?? 'running';
  return (
    <>
      {state === 'running' ? (
        <TaskProgress task={task} label={words.under} />
      ) : (
        <p role="status">
          {state === 'done' ? (isElsewhere() ? words.doneThere : words.done) : words.stopped}
        </p>
      )}
      {task?.error === null || task === null ? null : (
        <Notice tone="bad" title={text.app.failed(text.spoken(task.title))}>
          <ErrorWords body={task.error} />
        </Notice>
      )}
      {state === 'running' || state === 'done' ? (
        <p>
          <code className="path">{path}</code>
        </p>
      ) : null}
      <DownloadFile task={task} />
    </>
  );
}
