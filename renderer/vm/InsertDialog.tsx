// Copies an ISO into a VM's CD drive: says which one it replaces, how far the copy is, how it ended.
import { useState } from 'react';
import type { TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import { discOf, type VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import type { ChosenFile } from '../state/create-form.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { FileChoice } from '../ui/FileChoice.tsx';
import { Notice } from '../ui/Notice.tsx';
import { CommandError, StopTask, TaskProgress } from '../ui/TaskProgress.tsx';
import { useCommand, useShownTask } from '../ui/use-command.ts';

function Outcome(props: { readonly task: Task; readonly disc: string }) {
  const { text } = useSpeech();
  const { task } = props;
  const words = text.setup.drive;
  if (task.state === 'failed') return <CommandError verb={words.verb} error={task.error} />;
  if (task.state === 'cancelled') return <Notice tone="calm" title={words.stopped} live="polite" />;
  return (
    <Notice tone="good" title={words.done(props.disc)} live="polite">
      {words.order}
    </Notice>
  );
}

export function InsertDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { spec } = props.vm;
  const words = text.setup.drive;
  const [file, setFile] = useState<ChosenFile | null>(null);
  const [before] = useState(() => discOf(spec));
  const [taskId, setTaskId] = useState<TaskId | null>(null);
  const task = useShownTask(taskId);
  const { error, isSending, send, clear } = useCommand();
  const insert = async (): Promise<void> => {
    if (file?.kind !== 'ready') return;
    const begun = await send(() => call('vm.insert', { vmId: spec.id, file: file.file }));
    setTaskId(begun?.taskId ?? null);
  };
  return (
    <Dialog
      title={words.of(spec.name)}
      size="medium"
      keepOpen={taskId === null}
      onClose={props.onClose}
      actions={
        taskId === null ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button
              needs="vm.insert"
              look="go"
              onPress={insert}
              isDisabled={file?.kind !== 'ready' || isSending}
            >
              {words.verb}
            </Button>
          </>
        ) : (
          <>
            {task?.state === 'running' ? <StopTask task={task} verb={text.create.stop} /> : null}
            <Button onPress={props.onClose}>{text.app.close}</Button>
          </>
        )
      }
    >
      <CommandError verb={words.verb} error={error} />
      {taskId === null ? (
        <>
          <FileChoice
            kind="iso"
            accept=".iso"
            file={file}
            problem={null}
            onChange={next => {
              clear();
              setFile(next);
            }}
          />
          <p className="soft">
            {words.text} {before === null ? '' : words.instead(before)}
          </p>
          <p className="soft">{words.order}</p>
        </>
      ) : task === null || task.state === 'running' ? (
        <TaskProgress task={task} label={words.under} />
      ) : (
        <Outcome task={task} disc={file?.name ?? ''} />
      )}
    </Dialog>
  );
}
