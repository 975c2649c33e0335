// The dialogs for going back, renaming and deleting. Each says what is kept; its button is the verb.
import { useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt, goBack } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import type { PointVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm, Dialog } from '../ui/Dialog.tsx';
import { CheckField, Field } from '../ui/Field.tsx';
import { useAnswer } from '../ui/use-answer.ts';
import { isRunning } from '../view/attention.ts';
import { formatBytes, formatMoment } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { setupDifferences } from '../view/setup-differences.ts';
import { CloneDialog } from './CloneDialog.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { FilesDialog } from './FilesDialog.tsx';

export interface PointAction {
  readonly kind: Exclude<PointVerb, 'peek' | 'compare' | 'export-update'>;
  readonly moment: Moment;
}

interface PointDialogProps {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly moment: Moment;
  readonly onClose: () => void;
}

function GoBack(props: PointDialogProps) {
  const { text, language } = useSpeech();
  const { vm, moment, timeline } = props;
  const words = text.history;
  const name = pointName(moment, text);
  const hasMemory = typeof moment.extras?.memoryBytes === 'number';
  const [isFresh, setFresh] = useState(false);
  const [isSetUp, setSetUp] = useState(false);
  const differences = setupDifferences(moment, vm, text, language);
  return (
    <Confirm
      title={words.goBackTitle(name)}
      verb={words.goBackVerb}
      cancel={text.app.cancel}
      onClose={props.onClose}
      onConfirm={() =>
        void goBack(vm, moment.id, {
          memory: isFresh ? 'discard' : 'resume',
          configuration: isSetUp ? 'restore' : 'keep',
        })
      }
    >
      <p>{words.goBackText(vm.spec.name, formatMoment(moment.takenAt, language))}</p>
      {isRunning(vm) ? <p>{words.goBackRunning(vm.spec.name)}</p> : null}
      {hasMemory ? (
        <>
          {isFresh ? null : <p>{text.moments.resumes(vm.spec.name)}</p>}
          <CheckField label={text.moments.fresh} isOn={isFresh} onChange={setFresh} />
        </>
      ) : null}
      {differences.length === 0 ? null : (
        <CheckField
          label={text.moments.setUp}
          help={text.moments.setUpHelp(differences)}
          isOn={isSetUp}
          onChange={setSetUp}
        />
      )}
      <p className="keep">{words.goBackKept(formatBytes(timeline.nowBytes, language))}</p>
    </Confirm>
  );
}

/** Bytes that deleting the point frees later, by merging; null until known. */
function useFreedLater(vmId: VmId, { id: momentId, freesBytes }: Moment): number | null {
  const ask = () => call('moment.cost', { vmId, momentId });
  const cost = useAnswer(`${vmId} ${momentId} ${freesBytes}`, freesBytes === null ? ask : null);
  return cost.kind === 'known' ? cost.value.freesLaterBytes : null;
}

function Delete(props: PointDialogProps) {
  const { text, language } = useSpeech();
  const { vm, moment, timeline } = props;
  const later = useFreedLater(vm.spec.id, moment);
  const words = text.history;
  return (
    <Confirm
      title={words.deleteTitle(pointName(moment, text))}
      verb={words.deleteVerb}
      cancel={text.app.cancel}
      danger
      onClose={props.onClose}
      onConfirm={() =>
        void attempt(words.error.delete, () =>
          call('moment.delete', { vmId: vm.spec.id, momentId: moment.id }),
        )
      }
    >
      <p>
        {moment.freesBytes === null
          ? words.deleteMerged(later === null ? null : formatBytes(later, language))
          : words.deleteText(formatBytes(moment.freesBytes, language))}
      </p>
      <p className="keep">{words.deleteKept(timeline.moments.length - 1)}</p>
    </Confirm>
  );
}

function Rename(props: PointDialogProps) {
  const { text } = useSpeech();
  const { vm, moment } = props;
  const [name, setName] = useState(moment.name);
  const save = async (): Promise<void> => {
    const done = await attempt(text.history.error.rename, () =>
      call('moment.update', { vmId: vm.spec.id, momentId: moment.id, name }),
    );
    if (done !== null) props.onClose();
  };
  return (
    <Dialog
      title={text.history.renameTitle}
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{text.app.cancel}</Button>
          <Button look="go" onPress={save}>
            {text.vm.renameVerb}
          </Button>
        </>
      }
    >
      <Field label={text.history.takeName}>
        {control => (
          <input
            {...control}
            className="input"
            autoFocus
            maxLength={200}
            value={name}
            onChange={event => setName(event.target.value)}
            onKeyDown={event => event.key === 'Enter' && void save()}
          />
        )}
      </Field>
    </Dialog>
  );
}

export function PointDialogs(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly action: PointAction;
  readonly onClose: () => void;
}) {
  const { action, ...rest } = props;
  const given = { ...rest, moment: action.moment };
  switch (action.kind) {
    case 'go-back':
      return <GoBack {...given} />;
    case 'delete':
      return action.moment.keptBecause === null ? <Delete {...given} /> : null;
    case 'rename':
      return <Rename {...given} />;
    case 'files':
      return <FilesDialog vm={given.vm} moment={given.moment} onClose={given.onClose} />;
    case 'export':
      return <ExportDialog vm={given.vm} moment={given.moment} onClose={given.onClose} />;
    case 'clone':
      return <CloneDialog vm={given.vm} moment={given.moment} onClose={given.onClose} />;
    case 'pin':
      return null;
  }
}
