// Imports an update made elsewhere as a point. Asks for its parent only if the file cannot tell it.
import { useState } from 'react';
import type { MomentId, TaskId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import type { ChosenFile } from '../state/create-form.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { FileChoice } from '../ui/FileChoice.tsx';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { CommandError, StopTask, TaskProgress } from '../ui/TaskProgress.tsx';
import { useCommand, useShownTask } from '../ui/use-command.ts';
import { asksForParent } from '../view/faults.ts';
import { addedMoment, pointName } from '../view/points.ts';
import { PointSelect } from './PointSelect.tsx';

interface Wish {
  readonly file: ChosenFile | null;
  readonly name: string;
  readonly ontoId: MomentId | null;
  /** The file cannot tell its parent: the person has to. */
  readonly asksOnto: boolean;
}
const NO_WISH: Wish = { file: null, name: '', ontoId: null, asksOnto: false };

function Fields(props: {
  readonly timeline: Timeline;
  readonly wish: Wish;
  readonly onChange: (wish: Wish) => void;
  readonly onEnter: () => void;
}) {
  const { text } = useSpeech();
  const { timeline, wish, onChange } = props;
  const words = text.updates;
  return (
    <>
      <FileChoice
        kind="disk"
        accept=".vhd,.avhd"
        file={wish.file}
        problem={null}
        // Another file may tell its parent.
        onChange={file => onChange({ ...wish, file, ontoId: null, asksOnto: false })}
      />
      {wish.asksOnto ? (
        <PointSelect
          label={words.onto}
          help={words.ontoHelp}
          timeline={timeline}
          value={wish.ontoId}
          nullWords={words.chooseOnto}
          onChange={ontoId => onChange({ ...wish, ontoId })}
        />
      ) : null}
      <Field label={text.create.name} help={words.nameHelp}>
        {control => (
          <input
            {...control}
            className="input"
            maxLength={200}
            value={wish.name}
            placeholder={wish.file?.name.replace(/\.a?vhd$/i, '') ?? ''}
            onChange={event => onChange({ ...wish, name: event.target.value })}
            onKeyDown={event => event.key === 'Enter' && props.onEnter()}
          />
        )}
      </Field>
    </>
  );
}

function Outcome(props: { readonly task: Task; readonly added: Moment | null }) {
  const { text } = useSpeech();
  const { task, added } = props;
  const words = text.updates;
  if (task.state === 'failed') return <CommandError verb={words.importVerb} error={task.error} />;
  if (task.state === 'cancelled') return <Notice tone="calm" title={words.stopped} live="polite" />;
  if (added === null) return null;
  return (
    <Notice tone="good" title={words.added(pointName(added, text))} live="polite">
      {words.addedText}
    </Notice>
  );
}

export function ImportUpdateDialog(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly onChoose: (id: string) => void;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const words = text.updates;
  const [wish, setWish] = useState<Wish>(NO_WISH);
  const [begun, setBegun] = useState<{ taskId: TaskId; before: ReadonlySet<string> } | null>(null);
  const task = useShownTask(begun?.taskId ?? null);
  const { error, isSending, send, clear } = useCommand();
  const isReady = wish.file?.kind === 'ready' && !isSending && (!wish.asksOnto || wish.ontoId !== null);
  const add = async (): Promise<void> => {
    if (wish.file?.kind !== 'ready' || !isReady) return;
    const { file } = wish.file;
    const before = new Set<string>(timeline.moments.map(({ id }) => id));
    const name = wish.name.trim() || null;
    const answer = await send(
      () => call('moment.import-delta', { vmId: vm.spec.id, file, ontoId: wish.ontoId, name }),
      body => asksForParent(body) && setWish(old => ({ ...old, asksOnto: true })),
    );
    if (answer !== null) setBegun({ taskId: answer.taskId, before });
  };
  const change = (next: Wish): void => {
    if (next.file !== wish.file) clear();
    setWish(next);
  };
  const added = begun !== null && task?.state === 'done' ? addedMoment(begun.before, timeline) : null;
  const show = (): void => {
    if (added !== null) props.onChoose(added.id);
    props.onClose();
  };
  return (
    <Dialog
      title={words.importTitle(vm.spec.name)}
      size="medium"
      keepOpen={begun === null}
      onClose={props.onClose}
      actions={
        begun === null ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="moment.import-delta" look="go" onPress={add} isDisabled={!isReady}>
              {words.importVerb}
            </Button>
          </>
        ) : (
          <>
            {task?.state === 'running' ? <StopTask task={task} verb={words.stop} /> : null}
            <Button onPress={props.onClose}>{text.app.close}</Button>
            {added === null ? null : (
              <Button look="go" onPress={show}>
                {words.show}
              </Button>
            )}
          </>
        )
      }
    >
      {error !== null && asksForParent(error) ? (
        // The field below is what to do, not the command line that the error's advice names.
        <Notice tone="warn" title={words.ontoTitle} live="assertive">
          <ErrorWords body={{ ...error, todo: '' }} />
        </Notice>
      ) : (
        <CommandError verb={words.importVerb} error={error} />
      )}
      {begun === null ? (
        <>
          <p className="soft">{words.importText}</p>
          <Fields timeline={timeline} wish={wish} onChange={change} onEnter={() => void add()} />
        </>
      ) : task === null || task.state === 'running' ? (
        <TaskProgress task={task} label={words.under} note={words.underNote} />
      ) : (
        <Outcome task={task} added={added} />
      )}
    </Dialog>
  );
}
