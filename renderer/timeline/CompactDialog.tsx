// Gives back unused space of the history: says what it would do, how far it is, and how much came back.
import { useState } from 'react';
import type { TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { useService } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { CommandError, StopTask, TaskProgress } from '../ui/TaskProgress.tsx';
import { useCommand, useShownTask } from '../ui/use-command.ts';
import { formatBytes } from '../view/format.ts';
import { historyBytes } from '../view/settle.ts';

function Outcome(props: { readonly task: Task; readonly freedBytes: number }) {
  const { text, language } = useSpeech();
  const { task, freedBytes } = props;
  const words = text.compact;
  const size = formatBytes(freedBytes, language);
  if (task.state === 'running') return null;
  if (task.state === 'failed') return <CommandError verb={words.verb} error={task.error} />;
  const title =
    task.state === 'cancelled' ? words.stopped(size) : freedBytes === 0 ? words.none : words.done(size);
  return <Notice tone={task.state === 'done' ? 'good' : 'calm'} title={title} live="polite" />;
}

function Before(props: { readonly timeline: Timeline }) {
  const { text, language } = useSpeech();
  const { settle } = props.timeline;
  const words = text.compact;
  const { freedBytes, isPending } = settle.compact;
  return (
    <>
      <p>{words.text}</p>
      <p>{words.rest}</p>
      <p className="quiet">
        {words.holds(formatBytes(historyBytes(props.timeline), language))}{' '}
        {freedBytes > 0 && !isPending ? words.last(formatBytes(freedBytes, language)) : ''}
      </p>
    </>
  );
}

function Paused(props: { readonly timeline: Timeline }) {
  const { text } = useSpeech();
  const { error, send } = useCommand();
  const { vmId } = props.timeline;
  return (
    <>
      <Notice
        tone="calm"
        title={text.compact.paused}
        action={
          <Button needs="settle.set" onPress={() => send(() => call('settle.set', { vmId, to: 'run' }))}>
            {text.compact.resume}
          </Button>
        }
      />
      <CommandError verb={text.compact.resume} error={error} />
    </>
  );
}

export function CompactDialog(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const words = text.compact;
  const vmId = vm.spec.id;
  // A compaction begun before, or elsewhere, is shown as well.
  const underWay = useService(
    state =>
      state.tasks.find(
        other => other.kind === 'vm.compact' && other.vmId === vmId && other.state === 'running',
      ) ?? null,
  );
  const [begunId, setBegunId] = useState<TaskId | null>(null);
  const task = useShownTask(begunId ?? underWay?.id ?? null);
  const { error, isSending, send } = useCommand();
  const isRunning = task?.state === 'running';
  const { isPaused } = timeline.settle;
  const begin = async (): Promise<void> =>
    setBegunId((await send(() => call('vm.compact', { vmId })))?.taskId ?? null);
  return (
    <Dialog
      title={words.title(vm.spec.name)}
      size="medium"
      onClose={props.onClose}
      actions={
        <>
          {isRunning ? <StopTask task={task} verb={words.stop} /> : null}
          <Button onPress={props.onClose}>{task === null ? text.app.cancel : text.app.close}</Button>
          {task === null ? (
            <Button needs="vm.compact" look="go" onPress={begin} isDisabled={isSending || isPaused}>
              {words.verb}
            </Button>
          ) : null}
        </>
      }
    >
      <CommandError verb={words.verb} error={error} />
      {task === null ? <Before timeline={timeline} /> : null}
      {isPaused ? <Paused timeline={timeline} /> : null}
      {isRunning ? <TaskProgress task={task} label={words.under} note={words.underNote} /> : null}
      {task === null ? null : <Outcome task={task} freedBytes={timeline.settle.compact.freedBytes} />}
    </Dialog>
  );
}
